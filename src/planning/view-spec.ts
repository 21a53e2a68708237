import {
  canonicalJson,
  isObject,
  specOf,
  type DefinitionRecord,
  type Json,
  type JsonObject,
} from "./definition-record.ts";

/** What is certain of a view's specification; its features have members of their own kinds. */
export interface ViewSpec {
  readonly entity: { readonly name: string };
  readonly source: JsonObject & { readonly name: string; readonly event_time: string };
  readonly key: readonly string[];
  readonly features: readonly FeatureSpec[];
  readonly max_age_ms?: number | null;
  /** Where it is not "exclusive". */
  readonly boundary?: string;
}

export type FeatureSpec = JsonObject & { readonly name: string };

/** Pure. A view's specification. */
export const viewSpecOf = (view: Pick<DefinitionRecord, "spec">): ViewSpec =>
  specOf(view) as unknown as ViewSpec;

/** What a join's specification says of its sides; those of other sources have none of it. */
export function joinSpecOf(source: Pick<DefinitionRecord, "spec">) {
  const { left, right, on } = specOf(source);
  return {
    left: left ?? null,
    right: right ?? null,
    on: (on ?? []) as unknown as readonly { readonly left: string; readonly right: string }[],
  };
}

/** Members that name a column, wherever they stand in a feature. */
const COLUMN_MEMBERS = ["field", "column", "by"];

function columnsIn(value: Json): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item: Json) => columnsIn(item));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([member, inner]) =>
    typeof inner === "string" && COLUMN_MEMBERS.includes(member) ? [inner] : columnsIn(inner),
  );
}

/** Pure. The fields of its source that decide what is in a view. */
export const fieldsUsed = ({ key, features, source }: ViewSpec): ReadonlySet<string> =>
  new Set([...key, source.event_time, ...columnsIn(features)]);

/** Pure. Names a computation: two features with the same one have the same values, but defaults. */
export function computationOf(spec: ViewSpec, feature: FeatureSpec): string {
  const { name: _, default: _default, ...computed } = feature;
  const { entity, source, key, max_age_ms = null, boundary = null } = spec;
  return canonicalJson([entity.name, source.name, [...key], max_age_ms, boundary, computed]);
}
