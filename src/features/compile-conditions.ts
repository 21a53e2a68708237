import { OTHER, type Split, type Where } from "./aggregation.ts";
import { exactToText, parseExact } from "./exact.ts";
import { DefinitionError, type Field } from "./fields.ts";
import type { Condition } from "./plan.ts";
import type { FeatureSpecification } from "./view-specification.ts";

/**
 * Pure. The conditions of every where(), by field: of a field that several name, the values that
 * they have in common. Throws a DefinitionError for a value that no record can have, and for a field
 * that is left none.
 */
export function compileConditions(
  wheres: readonly Where[],
  fields: Map<string, Field>,
  at: string,
): Condition[] {
  const allowed = new Map<string, readonly (string | boolean)[]>();
  for (const [name, wanted] of wheres.flatMap((where) => Object.entries(where))) {
    const field = visibleField(fields, name, at, "where()");
    const values = (Array.isArray(wanted) ? wanted : [wanted]) as readonly unknown[];
    const own = values.map((value) => comparable(field, value, `${at}, where()`));
    const both = allowed.get(name)?.filter((value) => own.includes(value)) ?? own;
    if (both.length === 0) {
      throw new DefinitionError(
        `${at}, where(): it leaves "${name}" no value, so that no event is ever taken`,
      );
    }
    allowed.set(name, both);
  }
  return [...allowed]
    .map(([field, values]) => ({ field, values }))
    .toSorted((a, b) => (a.field < b.field ? -1 : 1));
}

/** A value of a condition as records hold it; one that no record can have is refused. */
function comparable(field: Field, value: unknown, at: string): string | boolean {
  if (isNumeric(field)) {
    const exact = parseExact(String(value));
    if (exact.ok) return exactToText(exact.value);
  } else if (
    field.kind !== "vector" &&
    typeof value === (field.kind === "boolean" ? "boolean" : "string")
  ) {
    return value as string | boolean;
  }
  throw new DefinitionError(
    `${at}: "${field.name}" is a ${field.kind}, and is never ${JSON.stringify(value)}`,
  );
}

/** A field whose values a definition may name: one that is kept as it came. */
function visibleField(
  fields: Map<string, Field>,
  name: string,
  at: string,
  method: "where()" | "by()",
): Field {
  const field = requireField(fields, name, `${at}, ${method}`);
  if (field.pii === null) return field;
  throw new DefinitionError(`${at}: ${method} cannot see "${name}", which is stored as a token`);
}

const MAX_KEYS = 50;

/** Pure. What by() splits a feature into: the keys of a field as records hold them. */
export function compileSplit(
  split: Split | null,
  fields: Map<string, Field>,
  at: string,
): FeatureSpecification["by"] {
  if (split === null) return undefined;
  const field = visibleField(fields, split.field, at, "by()");
  const values = split.keys.map((key) => comparable(field, key, `${at}, by()`));
  const keys = values.map(String);
  if (keys.length < 1 || keys.length > MAX_KEYS || new Set(keys).size < keys.length) {
    throw new DefinitionError(`${at}: by() takes 1 to ${MAX_KEYS} different keys`);
  }
  if (keys.includes(OTHER)) {
    throw new DefinitionError(
      `${at}: by() calls what is in no key "${OTHER}"; leave that key out, or filter by where()`,
    );
  }
  return { field: field.name, keys: values };
}

/** Pure. A field of the source; throws a DefinitionError that lists them all. */
export function requireField(fields: Map<string, Field>, name: string, at: string): Field {
  const field = fields.get(name);
  if (field !== undefined) return field;
  throw new DefinitionError(
    `${at}: there is no field "${name}"; the source has ${[...fields.keys()].join(", ")}`,
  );
}

/** Pure. Whether the field holds one number. */
export const isNumeric = (field: Field): boolean =>
  field.kind === "number" || field.kind === "decimal" || field.kind === "bigint";
