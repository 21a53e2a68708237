import fc from "fast-check";
import type { FieldValue, Filter } from "../../src/retrieval/filter.ts";

/**
 * Directions whose cosines with a query differ by far more than what halfvec rounds: whole numbers,
 * which it keeps exactly, at angles that grow.
 */
export const DIRECTIONS: readonly (readonly number[])[] = Array.from({ length: 30 }, (_, i) => {
  const angle = (i / 30) * Math.PI;
  return [Math.cos(angle), Math.sin(angle), 0, 0].map((x) => Math.round(x * 1_000));
});
export const QUERIES: readonly (readonly number[])[] = [
  [1, 0, 0, 0],
  [1, -0.02, 0, 0],
  [-1, 0.02, 0, 0],
];

const WORDS = ["a", "b", "c", "d", "e", "f", "\u9bae\u5ea6", "\u{1f30a}"];
const STRINGS = ["", "a", "b", "ab", "\ue000", "\u{1f30a}", "it's \"\\%_"];
const NUMBERS = [-1, 0, 0.1, 1, 1e21, 5e-324, 1_795_324_745_202];

export const anyWords = fc
  .array(fc.constantFrom(...WORDS), { minLength: 1, maxLength: 60 })
  .map((words) => words.join(" "));

const anyValue: fc.Arbitrary<FieldValue> = fc.oneof(
  fc.constantFrom(...STRINGS),
  fc.constantFrom(...NUMBERS),
  fc.boolean(),
  fc.array(fc.constantFrom(...STRINGS), { maxLength: 3 }),
);

const anyFields = fc.dictionary(fc.constantFrom("f", "g", "toString"), anyValue);

const anyChunk = fc.record({
  text: fc.oneof({ weight: 9, arbitrary: anyWords }, { weight: 1, arbitrary: fc.constant("") }),
  vector: fc.option(fc.constantFrom(...DIRECTIONS), { freq: 5 }),
});

export const anyDocument = fc.record({
  chunks: fc.uniqueArray(anyChunk, { maxLength: 5, selector: (chunk) => JSON.stringify(chunk) }),
  fields: anyFields,
  expiresAt: fc.constantFrom(null, null, null, 500, 1_000, 1_001),
});

const IDS = ["a", "b", "c", "d", "e", "f", "\u{1f30a}", "\uffff"];

/** What becomes of some documents at once; null: it is deleted. */
export const anyChanges = fc.dictionary(
  fc.constantFrom(...IDS),
  fc.option(anyDocument, { freq: 4, nil: null }),
  { minKeys: 1, maxKeys: 4 },
);

const anyScalar = fc.oneof(fc.constantFrom(...STRINGS), fc.constantFrom(...NUMBERS), fc.boolean());
const field = fc.constantFrom("f", "g", "toString", "none");
const kind = fc.constantFrom("string", "number", "boolean", "time", "string[]");

export const { filter: anyFilter } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.record({ op: fc.constant("exists"), field, value: fc.boolean() }),
    fc.record({
      op: fc.constantFrom("eq", "ne", "gt", "gte", "lt", "lte"),
      field,
      kind,
      value: anyScalar,
    }),
    fc.record({
      op: fc.constantFrom("in", "nin"),
      field,
      kind,
      values: fc.array(anyScalar, { maxLength: 3 }),
    }),
    fc.record({
      op: fc.constant("contains"),
      field,
      kind: fc.constantFrom("string", "string[]"),
      value: fc.constantFrom(...STRINGS),
    }),
    fc.record({
      op: fc.constantFrom("and", "or"),
      of: fc.array(tie("filter"), { maxLength: 3 }),
    }),
    fc.record({ op: fc.constant("not"), of: tie("filter") }),
  ) as fc.Arbitrary<Filter>,
}));
