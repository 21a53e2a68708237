import { canonicalJson, isObject, type Json, type JsonObject } from "./definition-record.ts";

/** One difference between two specifications. */
export interface Change {
  /** Where: names of members, and of items in lists whose items have names. */
  readonly path: readonly string[];
  /**
   * `reordered`: the names of a list in another order. `renamed`: a feature with another name,
   * in the path its new one. `rewritten`: equal, and written in another way.
   */
  readonly action: "added" | "removed" | "changed" | "renamed" | "reordered" | "rewritten";
  /** Null where it was added. */
  readonly before: Json;
  /** Null where it was removed. */
  readonly after: Json;
}

/** Below this depth values are compared as a whole: a window is one thing. */
const DEEPEST = 3;

type Named = JsonObject & { readonly name: string };

/** The list by its items' names, or null where it is no list of items with different names. */
function byName(value: Json): ReadonlyMap<string, Named> | null {
  if (!Array.isArray(value)) return null;
  const items = value as readonly Json[];
  const named = items.filter(
    (item): item is Named => isObject(item) && typeof item["name"] === "string",
  );
  const map = new Map(named.map((item) => [item.name, item]));
  return map.size === items.length ? map : null;
}

const same = (a: Json, b: Json): boolean => canonicalJson(a) === canonicalJson(b);

function diffMembers(before: JsonObject, after: JsonObject, path: readonly string[]): Change[] {
  const members = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...members].flatMap((member): Change[] => {
    const [left, right] = [before[member], after[member]];
    const at = [...path, member];
    if (left === undefined)
      return [{ path: at, action: "added", before: null, after: right ?? null }];
    if (right === undefined) return [{ path: at, action: "removed", before: left, after: null }];
    return diffValues(left, right, at);
  });
}

const nameless = (item: Named): JsonObject =>
  Object.fromEntries(Object.entries(item).filter(([member]) => member !== "name"));

/** Two features that compute the same are one; two fields of the same type are two. */
const isRenamed = (before: Named, after: Named, path: readonly string[]): boolean =>
  path.at(-1) === "features" &&
  Object.keys(before).length > 1 &&
  same(nameless(before), nameless(after));

function diffLists(
  before: ReadonlyMap<string, Named>,
  after: ReadonlyMap<string, Named>,
  path: readonly string[],
): Change[] {
  const gone = new Map([...before].filter(([name]) => !after.has(name)));
  const newNames = new Map<string, string>();
  const changes: Change[] = [];
  for (const [name, item] of after) {
    const at = [...path, name];
    const old = before.get(name);
    if (old !== undefined) {
      changes.push(...diffMembers(nameless(old), nameless(item), at));
      continue;
    }
    const renamed = [...gone.values()].find((one) => isRenamed(one, item, path));
    if (renamed !== undefined) {
      gone.delete(renamed.name);
      newNames.set(renamed.name, name);
    }
    changes.push({
      path: at,
      action: renamed === undefined ? "added" : "renamed",
      before: renamed ?? null,
      after: item,
    });
  }
  for (const [name, item] of gone) {
    changes.push({ path: [...path, name], action: "removed", before: item, after: null });
  }
  const stayed = [...before.keys()].flatMap((name) =>
    gone.has(name) ? [] : [newNames.get(name) ?? name],
  );
  const now = [...after.keys()].filter((name) => stayed.includes(name));
  if (!same(stayed, now)) {
    changes.push({ path, action: "reordered", before: stayed, after: now });
  }
  return changes;
}

function diffValues(before: Json, after: Json, path: readonly string[]): Change[] {
  if (same(before, after)) return [];
  if (path.length < DEEPEST) {
    const [left, right] = [byName(before), byName(after)];
    if (left !== null && right !== null) return diffLists(left, right, path);
    if (isObject(before) && isObject(after)) return diffMembers(before, after, path);
  }
  return [{ path, action: "changed", before, after }];
}

/**
 * Pure. Every difference between two specifications, whatever members they have. Lists of items
 * with names are compared by these; applied to the one, the changes give the other.
 */
export function diffSpec(before: string, after: string): readonly Change[] {
  if (before === after) return [];
  const changes = diffValues(JSON.parse(before) as Json, JSON.parse(after) as Json, []);
  return changes.length > 0
    ? changes
    : [{ path: [], action: "rewritten", before: null, after: null }];
}
