import type { FieldValue, Filter, Scalar } from "./filter.ts";

/**
 * Pure. The definition of what a filter means, in two-valued logic: a field that the document does
 * not have equals nothing, is in nothing, contains nothing and is neither more nor less than
 * anything; `ne` and `nin` are the negations of `eq` and `in`, true for it. `and` of nothing is
 * true, `or` of nothing false. Text is ordered by code point.
 */
export function matchesFilter(
  filter: Filter,
  fields: Readonly<Record<string, FieldValue>>,
): boolean {
  if ("field" in filter) {
    return holds(filter, Object.hasOwn(fields, filter.field) ? fields[filter.field] : undefined);
  }
  if (filter.op === "not") return !matchesFilter(filter.of, fields);
  const matches = (part: Filter) => matchesFilter(part, fields);
  return filter.op === "and" ? filter.of.every(matches) : filter.of.some(matches);
}

type Condition = Extract<Filter, { readonly field: string }>;

function holds(condition: Condition, value: FieldValue | undefined): boolean {
  if (condition.op === "exists") return (value !== undefined) === condition.value;
  if (condition.op === "contains") return contains(value, condition);
  if ("values" in condition) {
    return condition.values.some((one) => one === value) === (condition.op === "in");
  }
  return COMPARISONS[condition.op](orderOf(value, condition.value));
}

/** Of negative, zero or positive; of NaN, which is what different kinds give, only `ne` is true. */
const COMPARISONS = {
  eq: (order: number) => order === 0,
  ne: (order: number) => order !== 0,
  gt: (order: number) => order > 0,
  gte: (order: number) => order >= 0,
  lt: (order: number) => order < 0,
  lte: (order: number) => order <= 0,
};

function contains(
  field: FieldValue | undefined,
  { kind, value }: Extract<Condition, { readonly op: "contains" }>,
): boolean {
  if (kind === "string[]") return Array.isArray(field) && field.includes(value);
  return typeof field === "string" && field.includes(value);
}

/** Negative, zero or positive; NaN where the two have no order. */
function orderOf(a: FieldValue | undefined, b: Scalar): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "string" && typeof b === "string") return compareText(a, b);
  if (typeof a === "boolean" && typeof b === "boolean") return Number(a) - Number(b);
  return Number.NaN;
}

/** By code point, which is the order of UTF-8 bytes and of Postgres's collation "C". */
function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const [x, y] = [a.charCodeAt(i), b.charCodeAt(i)];
    if (x !== y) return rankOf(x) - rankOf(y);
  }
  return a.length - b.length;
}

/** Surrogates stand for the code points above all others, but come before U+E000. */
const rankOf = (unit: number): number => (unit >= 0xd800 && unit < 0xe000 ? unit + 0x2800 : unit);
