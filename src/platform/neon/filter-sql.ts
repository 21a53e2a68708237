import type { Filter, Scalar } from "../../retrieval/filter.ts";
import type { SqlParam } from "./sql-client.ts";

/** Adds a parameter to a statement and names it, as `$7`. */
export type AddParam = (value: SqlParam) => string;

const WORDS = { and: ["AND", "true"], or: ["OR", "false"] } as const;
const ORDERS = { gt: ">", gte: ">=", lt: "<", lte: "<=" } as const;

/**
 * A condition on the fields of a chunk `c` that is true or false, never null, as `matchesFilter`
 * defines it. Names and values travel as parameters alone.
 */
export function filterSql(filter: Filter, add: AddParam): string {
  if ("of" in filter) {
    if (filter.op === "not") return `(NOT ${filterSql(filter.of, add)})`;
    const [word, none] = WORDS[filter.op];
    if (filter.of.length === 0) return none;
    return `(${filter.of.map((part) => filterSql(part, add)).join(` ${word} `)})`;
  }
  const json = `(c.fields -> ${add(filter.field)}::text)`;
  if (filter.op === "exists") return `(${json} IS ${filter.value ? "NOT NULL" : "NULL"})`;
  if ("values" in filter) {
    const values = `${add(filter.values.map(jsonOf))}::jsonb[]`;
    return `((${json} = ANY (${values})) IS ${filter.op === "in" ? "TRUE" : "NOT TRUE"})`;
  }
  if (filter.op === "contains") {
    const part = `${add(filter.value)}::text`;
    return filter.kind === "string[]"
      ? typed(json, "array", `${json} ? ${part}`)
      : typed(json, "string", `strpos(${textOf(json)}, ${part}) > 0`);
  }
  const { op, value } = filter;
  if (op === "eq" || op === "ne") {
    return `((${json} = ${add(jsonOf(value))}::jsonb) IS ${op === "eq" ? "TRUE" : "NOT TRUE"})`;
  }
  // Text has an order only with text, numbers with numbers, and so on.
  const compared =
    typeof value === "string"
      ? `${textOf(json)} ${ORDERS[op]} ${add(value)}::text`
      : `${json} ${ORDERS[op]} ${add(jsonOf(value))}::jsonb`;
  return typed(json, typeof value, compared);
}

/** The text of a JSON string, compared byte by byte. */
const textOf = (json: string): string => `(${json} #>> '{}') COLLATE "C"`;

const typed = (json: string, type: string, condition: string): string =>
  `(CASE jsonb_typeof(${json}) WHEN '${type}' THEN ${condition} ELSE false END)`;

const jsonOf = (value: Scalar): string => JSON.stringify(value);
