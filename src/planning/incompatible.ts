import type { DefinitionRecord } from "./definition-record.ts";
import type { Difference } from "./diff-definitions.ts";
import type { Change } from "./diff-spec.ts";
import type { Size } from "./log-sizes.ts";
import { fieldsUsed, joinSpecOf, viewSpecOf, type ViewSpec } from "./view-spec.ts";

/** A change of a source after which events in the log mean something else, or cannot be read. */
export interface Incompatibility {
  readonly source: string;
  readonly change: Change;
  /** Views that use what changed; all of the source's where it is the id or the event time. */
  readonly views: readonly string[];
  /** Events in the log that were accepted before the change. */
  readonly events: Size;
}

/** Members of a field that say what its values in the log are. */
const MEANING = ["kind", "pii"];

/** The field that the log holds in another way than the source now says; null where none. */
function brokenField({ path: [list, name, member], action }: Change): string | null {
  if (list !== "fields" || name === undefined) return null;
  const broken = member === undefined ? action === "removed" : MEANING.includes(member);
  return broken ? name : null;
}

/** The fields of a source that decide what is in a view, itself or by way of a join; null for none. */
function fieldsOfSource(
  source: string,
  view: ViewSpec,
  definitions: readonly DefinitionRecord[],
): ReadonlySet<string> | null {
  if (view.source.name === source) return fieldsUsed(view);
  const joins = definitions.filter(
    ({ kind, name }) => kind === "source" && name === view.source.name,
  );
  for (const { left, right, on } of joins.map(joinSpecOf)) {
    if (source !== left && source !== right) continue;
    const prefix = `${source}__`;
    const own = [...fieldsUsed(view)].flatMap((field) =>
      field.startsWith(prefix) ? [field.slice(prefix.length)] : [],
    );
    return new Set([...own, ...on.map((column) => (source === left ? column.left : column.right))]);
  }
  return null;
}

/**
 * Pure. The changes of sources that do not fit events in the log: a field that a view uses was
 * removed or has another type; the id or the event time is another field. `definitions`
 * are those wanted and those in use.
 */
export function findIncompatible(
  differences: readonly Difference[],
  definitions: readonly DefinitionRecord[],
  events: ReadonlyMap<string, Size>,
): readonly Incompatibility[] {
  const views = definitions
    .filter(({ kind }) => kind === "view")
    .map((view) => ({ name: view.name, spec: viewSpecOf(view) }));
  return differences
    .filter(({ kind, action }) => kind === "source" && action === "changed")
    .flatMap(({ name: source, changes }) => {
      const logged = events.get(source);
      if (logged === undefined || logged.count === 0) return [];
      const fed = views.flatMap(({ name, spec }) => {
        const used = fieldsOfSource(source, spec, definitions);
        return used === null ? [] : [{ name, used }];
      });
      return changes.flatMap((change): readonly Incompatibility[] => {
        const [member = ""] = change.path;
        const field = brokenField(change);
        const users = fed.filter(({ used }) => field === null || used.has(field));
        const breaks = field === null ? ["id", "event_time"].includes(member) : users.length > 0;
        const names = [...new Set(users.map(({ name }) => name))];
        return breaks ? [{ source, change, views: names, events: logged }] : [];
      });
    });
}
