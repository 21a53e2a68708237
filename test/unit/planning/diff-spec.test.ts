import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, isObject, type Json } from "../../../src/planning/definition-record.ts";
import { diffSpec, type Change } from "../../../src/planning/diff-spec.ts";

const view = (features: readonly Json[], more: Readonly<Record<string, Json>> = {}): string =>
  JSON.stringify({ format: 1, source: { name: "s", event_time: "at" }, ...more, features });

const sum = (name: string, more: Readonly<Record<string, Json>> = {}) => ({
  name,
  aggregate: "sum",
  field: "amount",
  window: { kind: "sawtooth", lengthMs: 60_000, hopMs: 5_000 },
  ...more,
});

type Members = Record<string, Json>;

/** The specification with one change applied, without regard to the order of lists. */
function patch(into: Json, { path, action, before, after }: Change): void {
  if (action === "reordered") return;
  const [member = "", ...rest] = path;
  const inList = Array.isArray(into);
  const list = into as Members[];
  const name = action === "renamed" ? (before as Members)["name"] : member;
  const at = list.findIndex?.((item) => item["name"] === name);
  if (rest.length > 0) {
    patch(inList ? (list[at] as Members) : ((into as Members)[member] as Json), {
      path: rest,
      action,
      before,
      after,
    });
  } else if (inList) {
    assert.deepEqual(list[at] ?? null, before);
    list.splice(
      at < 0 ? list.length : at,
      at < 0 ? 0 : 1,
      ...(after === null ? [] : [after as Members]),
    );
  } else {
    assert.deepEqual((into as Members)[member] ?? null, before);
    if (action === "removed") delete (into as Members)[member];
    else (into as Members)[member] = after;
  }
}

/** Equal but for the order of items with names. */
const unordered = (value: Json): Json => {
  if (isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, unordered(v)]));
  }
  if (!Array.isArray(value)) return value;
  return (value as readonly Json[])
    .map((item) => unordered(item))
    .toSorted((a, b) => {
      if (!isObject(a) || !isObject(b)) return 0;
      return canonicalJson(a["name"] ?? null) < canonicalJson(b["name"] ?? null) ? -1 : 1;
    });
};

const scalar = fc.oneof(
  fc.constantFrom("a", "b", "", "DE"),
  fc.integer({ min: 0, max: 3 }),
  fc.boolean(),
);
const anyValue: fc.Arbitrary<Json> = fc.oneof(
  scalar,
  fc.array(scalar, { maxLength: 3 }),
  fc.dictionary(fc.constantFrom("kind", "lengthMs", "x"), scalar, { maxKeys: 2 }),
  fc.array(fc.record({ field: fc.constantFrom("a", "b"), values: fc.array(scalar) }), {
    maxLength: 2,
  }),
);
const anyItem = fc
  .tuple(
    fc.constantFrom("f", "g", "h", "i"),
    fc.dictionary(fc.constantFrom("aggregate", "field", "window", "new"), anyValue, { maxKeys: 3 }),
  )
  .map(([name, members]): Json => ({ ...members, name }));
const anySpec = fc
  .record({
    features: fc.uniqueArray(anyItem, {
      maxLength: 4,
      selector: (item) => (item as Members)["name"],
    }),
    source: fc.dictionary(fc.constantFrom("name", "event_time"), anyValue),
    more: fc.dictionary(fc.constantFrom("key", "max_age_ms", "format"), anyValue),
  })
  .map(({ features, source, more }): Json => ({ ...more, source, features }));

describe("the difference of two specifications", () => {
  it("is empty where they are equal", () => {
    fc.assert(
      fc.property(anySpec, (spec) => {
        expect(diffSpec(JSON.stringify(spec), JSON.stringify(spec))).toEqual([]);
      }),
    );
  });

  it("names everything: applied to the one, it gives the other", () => {
    fc.assert(
      fc.property(anySpec, anySpec, (before, after) => {
        const changes = diffSpec(JSON.stringify(before), JSON.stringify(after));
        const patched = structuredClone(before);
        for (const change of changes) patch(patched, change);
        expect(canonicalJson(unordered(patched))).toBe(canonicalJson(unordered(after)));
        expect(changes.length > 0).toBe(
          canonicalJson(before) !== canonicalJson(after) ||
            JSON.stringify(before) !== JSON.stringify(after),
        );
      }),
      { numRuns: 1_000 },
    );
  });

  it("names what of a feature is different, members that are new included", () => {
    const before = view([sum("total"), sum("mean", { aggregate: "mean" })]);
    const after = view([
      sum("total", { window: { kind: "hopping", lengthMs: 1 }, keys: 5 }),
      sum("mean"),
    ]);
    expect(diffSpec(before, after)).toEqual([
      {
        path: ["features", "total", "window"],
        action: "changed",
        before: { kind: "sawtooth", lengthMs: 60_000, hopMs: 5_000 },
        after: { kind: "hopping", lengthMs: 1 },
      },
      { path: ["features", "total", "keys"], action: "added", before: null, after: 5 },
      { path: ["features", "mean", "aggregate"], action: "changed", before: "mean", after: "sum" },
    ]);
  });

  it("tells a new name from a new feature", () => {
    const changes = diffSpec(
      view([sum("a"), sum("b", { field: "x" })]),
      view([sum("c"), sum("d")]),
    );
    expect(changes.map(({ path, action }) => [path[1], action])).toEqual([
      ["c", "renamed"],
      ["d", "added"],
      ["b", "removed"],
    ]);
  });

  it("names another order, which decides how states are packed", () => {
    const [a, b, c] = [sum("a"), sum("b", { field: "x" }), sum("c", { field: "y" })];
    expect(diffSpec(view([a, b]), view([b, a]))).toEqual([
      { path: ["features"], action: "reordered", before: ["a", "b"], after: ["b", "a"] },
    ]);
    const inserted = diffSpec(view([a, b]), view([a, c, b]));
    expect(inserted.map(({ action }) => action)).toEqual(["added"]);
  });

  it("looks into members, and takes values below as a whole", () => {
    const before = view([], { source: { name: "s", event_time: "at" }, max_age_ms: null });
    const after = view([], { source: { name: "s", event_time: "paid_at" }, max_age_ms: 5 });
    expect(diffSpec(before, after)).toEqual([
      { path: ["source", "event_time"], action: "changed", before: "at", after: "paid_at" },
      { path: ["max_age_ms"], action: "changed", before: null, after: 5 },
    ]);
  });

  it("says that a text is another one even where what it says is the same", () => {
    expect(diffSpec('{"a":1}', '{"a": 1}')).toEqual([
      { path: [], action: "rewritten", before: null, after: null },
    ]);
  });
});
