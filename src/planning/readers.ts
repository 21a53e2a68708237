import {
  isObject,
  specOf,
  type DefinitionKind,
  type DefinitionRecord,
} from "./definition-record.ts";

/** A definition that uses another one. */
export interface Reader {
  readonly kind: DefinitionKind;
  readonly name: string;
  /** The features that it takes of it; null where it may take all, or it is no matter of features. */
  readonly takes: readonly string[] | null;
}

const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];

const nameIn = (value: unknown): unknown =>
  isObject(value as never) ? (value as { name: unknown }).name : null;

/** The feature names among `view:feature` that are the view's. */
const ofView = (view: string, references: readonly string[]): readonly string[] =>
  references.flatMap((ref) => (ref.startsWith(`${view}:`) ? [ref.slice(view.length + 1)] : []));

/** What of the definition the other one takes; undefined where it does not use it. */
function taken(used: Pick<DefinitionRecord, "kind" | "name">, by: DefinitionRecord) {
  const spec = specOf(by);
  const { kind, name } = used;
  if (kind === "view" || kind === "on_demand_view") {
    if (by.kind === "on_demand_view" && texts(spec["from"]).includes(name)) {
      return Array.isArray(spec["reads"]) ? ofView(name, texts(spec["reads"])) : null;
    }
    if (by.kind === "service" && texts(spec["views"]).includes(name)) return null;
    const features = by.kind === "model" ? ofView(name, texts(spec["features"])) : [];
    return features.length > 0 ? features : undefined;
  }
  const uses =
    (kind === "service" && by.kind === "model" && spec["service"] === name) ||
    (by.kind === "source" && kind === "source" && [spec["left"], spec["right"]].includes(name)) ||
    (by.kind === "view" && (kind === "entity" || kind === "source") && nameIn(spec[kind]) === name);
  return uses ? null : undefined;
}

/** Pure. Who among the definitions uses that one, in their order. */
export function readersOf(
  used: Pick<DefinitionRecord, "kind" | "name">,
  definitions: readonly DefinitionRecord[],
): readonly Reader[] {
  return definitions.flatMap((by): readonly Reader[] => {
    const takes = taken(used, by);
    return takes === undefined ? [] : [{ kind: by.kind, name: by.name, takes }];
  });
}
