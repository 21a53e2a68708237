import type { FieldError } from "../errors.ts";
import { err, ok, type Result } from "../result.ts";
import type { FilterField } from "./collection-plan.ts";
import type { FilterKind } from "./define.ts";
import type { Comparator, Filter, Scalar } from "./filter.ts";
import { readScalar, readText, type ScalarKind, type ValueError } from "./read-value.ts";

export const MAX_CONDITIONS = 100;
export const MAX_FILTER_DEPTH = 8;
export const MAX_VALUES = 1_000;

const ORDERED = ["eq", "ne", "in", "nin", "gt", "gte", "lt", "lte", "exists"] as const;

type Operator = (typeof ORDERED)[number] | "contains";

/** The operators that make sense for a field of each kind. */
const OPERATORS: Readonly<Record<FilterKind, readonly Operator[]>> = {
  string: [...ORDERED, "contains"],
  number: ORDERED,
  time: ORDERED,
  boolean: ["eq", "ne", "in", "nin", "exists"],
  "string[]": ["contains", "exists"],
};

/**
 * Pure. A filter as requests write it: `{"product":"x","price":{"gte":5,"lt":9},"or":[{…},{…}]}`.
 * All members of an object hold together, so `{}` and `"and": []` are true; `"or": []` and
 * `{"in": []}` are false, as in logic. Null where there is nothing to filter by. Errors name their
 * place, as `filter.or[1].price.gte`, and what would be right there.
 */
export function parseFilter(
  input: unknown,
  fields: readonly FilterField[],
): Result<Filter | null, readonly FieldError[]> {
  if (input === undefined || input === null) return ok(null);
  const parsing: Parsing = { fields, errors: [], conditions: 0, full: false };
  const filter = parseGroup(parsing, input, "filter", 1);
  if (parsing.errors.length > 0) return err(parsing.errors);
  return ok(filter.op === "and" && Object.keys(input).length === 0 ? null : filter);
}

interface Parsing {
  readonly fields: readonly FilterField[];
  readonly errors: FieldError[];
  conditions: number;
  /** There were too many conditions or errors: the rest is not read. */
  full: boolean;
}

const MAX_ERRORS = 20;
const TRUE: Filter = { op: "and", of: [] };

/** Notes the error; what is returned in the place of a filter is never used. */
function refuse(parsing: Parsing, path: string, code: string, detail: string): Filter {
  parsing.errors.push({ path, code, detail });
  if (parsing.errors.length >= MAX_ERRORS) parsing.full = true;
  return TRUE;
}

const joined = (parts: readonly Filter[]): Filter => {
  const [only] = parts;
  return parts.length === 1 && only !== undefined ? only : { op: "and", of: parts };
};

function parseGroup(parsing: Parsing, input: unknown, path: string, depth: number): Filter {
  if (parsing.full) return TRUE;
  if (!isObject(input)) {
    return refuse(parsing, path, "wrong_type", `expected an object, as {"field": value}`);
  }
  if (depth > MAX_FILTER_DEPTH) {
    return refuse(parsing, path, "too_deep", `at most ${MAX_FILTER_DEPTH} objects in each other`);
  }
  const members = Object.entries(input);
  if (members.length === 0) countCondition(parsing, path);
  return joined(
    members.flatMap(([name, value]): readonly Filter[] => {
      const at = `${path}.${shortened(name)}`;
      if (parsing.full) return [];
      if (name === "not") return [{ op: "not", of: parseGroup(parsing, value, at, depth + 1) }];
      if (name === "and" || name === "or") return [parseList(parsing, name, value, at, depth)];
      return parseField(parsing, name, value, at);
    }),
  );
}

function parseList(
  parsing: Parsing,
  op: "and" | "or",
  input: unknown,
  path: string,
  depth: number,
): Filter {
  if (!Array.isArray(input)) {
    return refuse(parsing, path, "wrong_type", `expected a list, as [{"field": value}, …]`);
  }
  if (input.length === 0) countCondition(parsing, path);
  const of: Filter[] = [];
  for (const [i, part] of input.entries()) {
    if (parsing.full) break;
    of.push(parseGroup(parsing, part, `${path}[${i}]`, depth + 1));
  }
  return { op, of };
}

function parseField(
  parsing: Parsing,
  name: string,
  input: unknown,
  path: string,
): readonly Filter[] {
  const field = parsing.fields.find((one) => one.name === name);
  if (field === undefined) {
    const known = parsing.fields.map((one) => one.name);
    const detail = `the filter fields are ${[...known, "and", "or", "not"].join(", ")}`;
    return [refuse(parsing, path, "unknown_field", detail)];
  }
  if (!isObject(input)) return [parseCondition(parsing, field, "eq", input, path)];
  const operators = Object.entries(input);
  if (operators.length === 0) {
    const detail = `expected a value or ${OPERATORS[field.kind].join(", ")}`;
    return [refuse(parsing, path, "no_operator", detail)];
  }
  return operators.flatMap(([op, value]) =>
    parsing.full ? [] : [parseCondition(parsing, field, op, value, `${path}.${shortened(op)}`)],
  );
}

function parseCondition(
  parsing: Parsing,
  { name: field, kind }: FilterField,
  name: string,
  input: unknown,
  path: string,
): Filter {
  if (!countCondition(parsing, path)) return TRUE;
  const allowed = OPERATORS[kind];
  const op = allowed.find((one) => one === name);
  if (op === undefined) {
    const known = name === "contains" || ORDERED.some((one) => one === name);
    const detail = `a field of kind ${kind} is filtered by ${allowed.join(", ")}`;
    return refuse(parsing, path, known ? "wrong_operator" : "unknown_operator", detail);
  }
  if (op === "exists") {
    if (typeof input === "boolean") return { op, field, value: input };
    return refuse(parsing, path, "wrong_type", "expected true or false");
  }
  if (op === "contains") {
    const value = readText(input);
    if (!value.ok) return refuseValue(parsing, path, input, value.error);
    return { op, field, kind: kind === "string" ? kind : "string[]", value: value.value };
  }
  // Lists have no other operators.
  const scalarKind = kind as ScalarKind;
  if (op === "in" || op === "nin") {
    const values = parseValues(parsing, scalarKind, input, path);
    return values === null ? TRUE : { op, field, kind, values };
  }
  return parseComparison(parsing, { op, field, kind: scalarKind }, input, path);
}

function parseComparison(
  parsing: Parsing,
  comparison: { readonly op: Comparator; readonly field: string; readonly kind: ScalarKind },
  input: unknown,
  path: string,
): Filter {
  const value = readScalar(comparison.kind, input);
  if (!value.ok) return refuseValue(parsing, path, input, value.error);
  return { ...comparison, value: value.value };
}

function parseValues(
  parsing: Parsing,
  kind: ScalarKind,
  input: unknown,
  path: string,
): readonly Scalar[] | null {
  if (!Array.isArray(input)) {
    refuse(parsing, path, "wrong_type", "expected a list of values");
    return null;
  }
  if (input.length > MAX_VALUES) {
    refuse(parsing, path, "too_many_values", `at most ${MAX_VALUES} values, not ${input.length}`);
    return null;
  }
  const values: Scalar[] = [];
  for (const [i, one] of input.entries()) {
    const value = readScalar(kind, one);
    if (value.ok) values.push(value.value);
    else refuseValue(parsing, `${path}[${i}]`, one, value.error);
    if (parsing.full) return null;
  }
  return values;
}

function refuseValue(parsing: Parsing, path: string, input: unknown, error: ValueError): Filter {
  const hint = input === null ? `; documents without the field have {"exists": false}` : "";
  const list = Array.isArray(input) ? `; one of several is {"in": […]}` : "";
  return refuse(parsing, path, error.code, `${error.detail}${hint}${list}`);
}

/** False, with an error, where the filter has too many. */
function countCondition(parsing: Parsing, path: string): boolean {
  parsing.conditions += 1;
  if (parsing.conditions <= MAX_CONDITIONS) return true;
  refuse(parsing, path, "too_many_conditions", `a filter has at most ${MAX_CONDITIONS} conditions`);
  parsing.full = true;
  return false;
}

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** What was sent may be of any length, and answers repeat it. */
const shortened = (name: string): string =>
  name.length > 64 ? `${name.slice(0, 64).toWellFormed()}…` : name;
