import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRandom, type Random } from "../../../../local/demo/random.ts";
import {
  featureDrift,
  numberBins,
  presenceDrift,
  textBins,
} from "../../../../src/features/quality/drift.ts";
import {
  mergeSketches,
  percentiles,
  profileNumbers,
} from "../../../../src/features/quality/number-profile.ts";
import { psi } from "../../../../src/features/quality/psi.ts";
import { mergeTexts, profileTexts } from "../../../../src/features/quality/text-profile.ts";
import type { FeatureProfile, ViewProfile } from "../../../../src/features/quality/view-profile.ts";

const numbers = (values: readonly number[], nulls = 0): FeatureProfile => ({
  nulls,
  values: values.length,
  numbers: values.length === 0 ? null : profileNumbers(values),
  texts: null,
});

/** The index by its definition: bins that end at the values of the baseline's deciles. */
function exactPsi(recent: readonly number[], baseline: readonly number[]): number {
  const sorted = baseline.toSorted((a, b) => a - b);
  const decile = (k: number) => sorted[Math.floor((k * (sorted.length - 1)) / 10)] ?? 0;
  const ends = [...new Set([1, 2, 3, 4, 5, 6, 7, 8, 9].map(decile)), Number.POSITIVE_INFINITY];
  const bins = ends.map((): [number, number] => [0, 0]);
  for (const [side, values] of [recent, baseline].entries()) {
    for (const value of values) {
      const bin = bins[ends.findIndex((end) => value <= end)] as [number, number];
      bin[side as 0 | 1] += 1;
    }
  }
  return psi(bins, 1 / (2 * Math.min(recent.length, baseline.length))) ?? 0;
}

type Draw = (random: Random, shift: number) => number;

const DRAWS: Readonly<Record<string, Draw>> = {
  lognormal: (random, shift) => Math.exp(random.normal() + shift),
  normal: (random, shift) => 100 + 30 * (random.normal() + shift),
  "around zero": (random, shift) => random.normal() + shift,
  uniform: (random, shift) => random.between(0, 1_000) * (1 + shift),
  counts: (random, shift) => Math.floor(Math.exp(random.normal() + 1 + shift)),
};

function sample(seed: string, draw: Draw, shift = 0, size = 500): readonly number[] {
  const random = createRandom(seed);
  return Array.from({ length: size }, () => draw(random, shift));
}

const indexOf = (recent: readonly number[], baseline: readonly number[]): number =>
  featureDrift([numbers(recent)], [numbers(baseline)])?.psi ?? Number.NaN;

const texts = (counts: Readonly<Record<string, number>>, nulls = 0): FeatureProfile => {
  const all = Object.entries(counts).flatMap(([text, n]) => Array<string>(n).fill(text));
  return { nulls, values: all.length, numbers: null, texts: profileTexts(all) };
};

describe("the drift of a number", () => {
  it("is of bins that end at the baseline's deciles, and one beyond", () => {
    const hundred = Array.from({ length: 100 }, (_, i) => 1.05 ** i);
    const { sketch } = profileNumbers(hundred);
    const beyond = profileNumbers([0, -1, 1e6, 1e6]).sketch;
    const bins = numberBins(beyond, sketch);
    expect(bins.map(([, before]) => before)).toEqual([10, 10, 10, 10, 10, 10, 10, 10, 10, 10]);
    expect(bins.map(([recent]) => recent)).toEqual([2, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
  });

  it("has a bin for each of few values, and sees one that is new", () => {
    const before = [...Array<number>(70).fill(0), ...Array<number>(30).fill(1)];
    const { sketch } = profileNumbers(before);
    const recent = profileNumbers([0, 1, 2, 2]).sketch;
    expect(numberBins(recent, sketch)).toEqual([
      [1, 70],
      [1, 30],
      [2, 0],
    ]);
    expect(indexOf(before, before)).toBe(0);
    expect(indexOf([...before, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2], before)).toBeGreaterThan(0.25);
  });

  it.each(Object.entries(DRAWS))("is near that of the numbers themselves: %s", (_name, draw) => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(0, 0.15, 0.3, 0.6), (seed, shift) => {
        const baseline = sample(`b${seed}`, draw);
        const recent = sample(`r${seed}`, draw, shift);
        const exact = exactPsi(recent, baseline);
        const error = Math.abs(indexOf(recent, baseline) - exact);
        expect(error).toBeLessThan(0.06 + 0.4 * exact);
      }),
      { numRuns: 25 },
    );
  });

  it("grows with the shift", () => {
    for (const draw of Object.values(DRAWS)) {
      const baseline = sample("before", draw, 0, 1_000);
      const indexes = [0, 0.3, 0.6, 0.9].map((shift) =>
        indexOf(sample("after", draw, shift, 1_000), baseline),
      );
      expect(indexes).toEqual(indexes.toSorted((a, b) => a - b));
      expect(indexes[0]).toBeLessThan(0.05);
      expect(indexes[3]).toBeGreaterThan(0.25);
    }
  });

  it("exceeds its noise about once in a hundred times where nothing changed", () => {
    const draw: Draw = (random) => Math.exp(random.normal());
    for (const size of [20, 100, 400]) {
      const noisy = Array.from({ length: 100 }, (_, i) => {
        const [recent, before] = [sample(`r${i}`, draw, 0, size), sample(`b${i}`, draw, 0, size)];
        const drift = featureDrift([numbers(recent)], [numbers(before)]);
        return (drift?.psi ?? 0) > (drift?.noise ?? 0);
      }).filter(Boolean);
      expect(noisy.length).toBeLessThan(6);
    }
  });

  it("is no surer for many profiles of the same entities", () => {
    const one = numbers([1, 2, 3, 4]);
    const drift = featureDrift([one], [one]);
    expect(featureDrift([one, one, one], Array(12).fill(one))).toEqual(drift);
    expect(drift).toMatchObject({ psi: 0, reading: "stable" });
  });

  it("takes what has no value for a bin of its own, and nothing for no drift", () => {
    const psiOf = (recent: FeatureProfile, before: FeatureProfile) =>
      featureDrift([recent], [before])?.psi;
    const full = numbers(Array<number>(90).fill(5), 10);
    const halves = psiOf(numbers(Array<number>(50).fill(5), 50), full);
    expect(halves).toBeCloseTo(0.4 * Math.log(5) - 0.4 * Math.log(5 / 9), 10);
    expect(psiOf(numbers([], 7), full)).toBeGreaterThan(1);
    expect(psiOf(full, numbers([], 7))).toBeGreaterThan(1);
    expect(psiOf(numbers([], 7), numbers([], 3))).toBe(0);
    expect(psiOf(numbers([]), full)).toBeUndefined();
    expect(featureDrift([], [full])).toBeNull();
    expect(featureDrift([full], [])).toBeNull();
  });
});

describe("the drift of a text", () => {
  it("has a bin for each of the commonest of either, and one for all others", () => {
    const recent = profileTexts(["DE", "DE", "FR", "FR", "FR", "x"]);
    const before = profileTexts(["DE", "DE", "DE", "AT", "AT", "y", "z", null]);
    expect(textBins(recent, before)).toEqual([
      [3, 0],
      [2, 3],
      [0, 2],
      [1, 3],
    ]);
  });

  it("sees that all have one value now, where each had another", () => {
    const ids = Array.from({ length: 50 }, (_, i) => `id${i}`);
    const before = { nulls: 0, values: 50, numbers: null, texts: profileTexts(ids) };
    expect(before.texts).toEqual({ commonest: new Map(), others: 50 });
    expect(featureDrift([texts({ unknown: 50 })], [before])?.reading).toBe("shifted");
    expect(featureDrift([before], [before])?.psi).toBe(0);
  });

  it("adds profiles up", () => {
    const all = mergeTexts([profileTexts(["a", "a", "b"]), profileTexts(["a", "b", "b", null])]);
    expect(all).toEqual({
      commonest: new Map([
        ["a", 2],
        ["b", 2],
      ]),
      others: 3,
    });
    const drift = featureDrift([texts({ a: 4, b: 4 }), texts({ a: 4 })], [texts({ a: 8, b: 4 })]);
    expect(drift?.psi).toBeCloseTo(0, 12);
  });
});

describe("what a profile keeps", () => {
  it("names at most thirty texts, none that a single entity has, and cuts long ones", () => {
    const many = Array.from({ length: 40 }, (_, i) => Array<string>(i + 1).fill(`t${i}`)).flat();
    const { commonest, others } = profileTexts(many);
    expect([...commonest].slice(0, 2)).toEqual([
      ["t39", 40],
      ["t38", 39],
    ]);
    expect(commonest.size).toBe(30);
    expect(others).toBe(55);
    expect(profileTexts(["only", null]).commonest.size).toBe(0);
    const long = "🎈".repeat(100);
    expect([...profileTexts([long, long]).commonest]).toEqual([["🎈".repeat(64), 2]]);
  });

  it("has exact extremes and means, and percentiles within one in a hundred", () => {
    const random = createRandom("percentiles");
    const values = Array.from({ length: 1_000 }, () => Math.exp(4 * random.normal()));
    const { min, max, mean, sketch } = profileNumbers(values);
    const sorted = values.toSorted((a, b) => a - b);
    expect([min, max]).toEqual([sorted[0], sorted.at(-1)]);
    expect(mean).toBeCloseTo(values.reduce((a, b) => a + b) / 1_000, 6);
    const { p5, p50, p95 } = percentiles({ sketch, min, max });
    for (const [p, told] of [
      [0.05, p5],
      [0.5, p50],
      [0.95, p95],
    ] as const) {
      const exact = sorted[Math.floor(p * 999)] ?? 0;
      expect(Math.abs(told - exact)).toBeLessThanOrEqual(0.0101 * exact);
    }
    const twice = mergeSketches([sketch, sketch]);
    expect(percentiles({ sketch: twice, min, max })).toEqual({ p5, p50, p95 });
    expect(percentiles(profileNumbers([30]))).toEqual({ p5: 30, p50: 30, p95: 30 });
  });

  it("takes numbers that no double holds for the largest one", () => {
    const { min, max, mean } = profileNumbers([Number("1e349"), Number("-1e349")]);
    expect([min, max, mean]).toEqual([-Number.MAX_VALUE, Number.MAX_VALUE, 0]);
  });
});

describe("the drift of a view's presence", () => {
  const view = (entities: number, notFound: number, outsideMaxAge = 0): ViewProfile => ({
    takenAt: 0,
    entities,
    notFound,
    outsideMaxAge,
    newestEvent: null,
    newestIngest: null,
    ages: null,
    features: new Map(),
  });

  it("sees entities that are not found any more, or found too old", () => {
    expect(presenceDrift([view(100, 10)], [view(50, 5), view(50, 5)])?.psi).toBeCloseTo(0, 12);
    expect(presenceDrift([view(100, 90)], [view(100, 10)])?.reading).toBe("shifted");
    expect(presenceDrift([view(100, 10, 50)], [view(100, 10)])?.reading).toBe("shifted");
    expect(presenceDrift([view(0, 0)], [view(100, 10)])).toBeNull();
  });
});
