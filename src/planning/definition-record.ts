/** The kinds of definitions, in the order in which each may use those before it. */
export const DEFINITION_KINDS = [
  "entity",
  "source",
  "view",
  "on_demand_view",
  "service",
  "model",
  "collection",
] as const;
export type DefinitionKind = (typeof DEFINITION_KINDS)[number];

/** A definition as data: what can be compared, and kept. */
export interface DefinitionRecord {
  readonly kind: DefinitionKind;
  readonly name: string;
  /** JSON of everything that decides what it does; owner and description do not. */
  readonly spec: string;
}

export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [member: string]: Json };
export type JsonObject = { readonly [member: string]: Json };

export const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Pure. A definition's specification as an object. */
export const specOf = ({ spec }: Pick<DefinitionRecord, "spec">): JsonObject =>
  JSON.parse(spec) as JsonObject;

/** Pure. JSON that is the same for equal values, whatever the order of their members. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((item: Json) => canonicalJson(item)).join(",")}]`;
  if (!isObject(value)) return JSON.stringify(value);
  const members = Object.keys(value)
    .toSorted()
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(value[name] ?? null)}`);
  return `{${members.join(",")}}`;
}
