import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { averageLength, idf, quantizeLength, scoreBm25 } from "../../../src/retrieval/bm25.ts";

const defaults = { k1: 0.9, b: 0.4 };

describe("the length that scoring uses", () => {
  it("is exact up to 40", () => {
    for (let length = 0; length <= 40; length += 1) expect(quantizeLength(length)).toBe(length);
  });

  it.each([
    [41, 40],
    [42, 42],
    [55, 54],
    [57, 56],
    [100, 96],
    [150, 144],
    [250, 248],
    [300, 280],
    [500, 472],
    [1_000, 984],
  ])("of %i is %i", (length, expected) => {
    expect(quantizeLength(length)).toBe(expected);
  });

  it("fits a byte for every length, and stays when it is taken again", () => {
    const lengths = new Set<number>();
    for (let length = 1; length < 2 ** 31; length = Math.ceil(length * 1.01)) {
      const quantized = quantizeLength(length);
      expect(quantizeLength(quantized)).toBe(quantized);
      expect(quantized <= length && quantized > length * 0.88).toBe(true);
      lengths.add(quantized);
    }
    expect(lengths.size).toBeLessThanOrEqual(256);
  });
});

describe("statistics", () => {
  it("are rounded to float32", () => {
    expect(idf(5_183, 17)).toBe(Math.fround(Math.log(1 + 5_166.5 / 17.5)));
    expect(averageLength(10, 3)).toBe(Math.fround(10 / 3));
  });

  it("give a term of every document a little weight, never a negative one", () => {
    expect(idf(1_000, 1_000)).toBeGreaterThan(0);
    expect(idf(1, 1)).toBeCloseTo(Math.log(4 / 3), 7);
  });
});

describe("a score", () => {
  const corpus = {
    documents: 4,
    tokens: 40,
    frequencies: new Map([
      ["hot", 1],
      ["tea", 2],
    ]),
  };
  const document = { counts: new Map([["tea", 3]]), length: 10 };
  const score = (query: readonly { term: string; count: number }[], parameters = defaults) =>
    scoreBm25(query, document, corpus, parameters);

  it("is the sum over the terms that the document has", () => {
    const expected = Math.fround((idf(4, 2) * 3) / (3 + 0.9));
    expect(score([{ term: "tea", count: 1 }])).toBe(expected);
    expect(
      score([
        { term: "hot", count: 1 },
        { term: "tea", count: 2 },
        { term: "unknown", count: 1 },
      ]),
    ).toBe(2 * expected);
  });

  it("is the same in whatever order its terms are added up", () => {
    const nat = (max: number) => fc.integer({ min: 1, max });
    const part = fc.record({ count: nat(5), tf: nat(40), df: nat(1_000), place: fc.nat() });
    fc.assert(
      fc.property(fc.array(part, { minLength: 3, maxLength: 12 }), nat(300), (parts, length) => {
        const named = parts.map((one, i) => ({ ...one, term: `t${i}` }));
        const counts = new Map(named.map(({ term, tf }) => [term, tf]));
        const frequencies = new Map(named.map(({ term, df }) => [term, df]));
        const statistics = { documents: 1_000, tokens: 90_000, frequencies };
        const scoreOf = (query: typeof named) =>
          scoreBm25(query, { counts, length }, statistics, defaults);
        expect(scoreOf(named.toSorted((x, y) => x.place - y.place))).toBe(scoreOf(named));
      }),
    );
  });

  it("is 0 without any of them", () => {
    expect(score([{ term: "hot", count: 1 }])).toBe(0);
    expect(score([])).toBe(0);
  });

  it("takes k1 and b: 0 makes it the sum of idf, and b alone weighs the length", () => {
    const query = [{ term: "tea", count: 1 }];
    expect(score(query, { k1: 0, b: 1 })).toBe(idf(4, 2));
    const long = { ...document, length: 100 };
    expect(scoreBm25(query, long, corpus, { k1: 0.9, b: 0 })).toBe(score(query, { k1: 0.9, b: 0 }));
    expect(scoreBm25(query, long, corpus, { k1: 0.9, b: 1 })).toBe(
      Math.fround((idf(4, 2) * 3) / (3 + (0.9 * 96) / 10)),
    );
  });
});
