import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FeatureValue } from "../../../src/features/aggregates/aggregate.ts";
import { evaluateLinear } from "../../../src/predictions/evaluate-linear.ts";
import { linearFile, logisticFile, planOf, type Input } from "./example.ts";

const N = { feature: "use:n" };
const COLOUR = { feature: "use:colour" };
const RED = { ...COLOUR, equals: "red" };
const BLUE = { ...COLOUR, equals: "blue" };

const evaluate = (
  file: ReturnType<typeof linearFile>,
  values: readonly FeatureValue[],
  explain = false,
) => evaluateLinear(planOf(file).linear, values, explain);
const valueOf = (inputs: readonly Input[], ...values: readonly FeatureValue[]) =>
  evaluate(linearFile(inputs), values).value;

/** z of an input in the plainest way. */
function naive(input: Input, value: FeatureValue | undefined): number {
  const given = value ?? input.default;
  if (given === undefined) return 0;
  let x = Number(given);
  if (input.equals !== undefined) x = given === input.equals ? 1 : 0;
  if (input.transform === "log1p") x = Math.sign(x) * Math.log(1 + Math.abs(x));
  return (x - (input.mean ?? 0)) / (input.scale ?? 1);
}

const small = fc.integer({ min: -50, max: 50 }).map((n) => n / 10);
const moments = { mean: small, scale: fc.integer({ min: 1, max: 40 }).map((n) => n / 10) };
const anyNumber = fc.record(
  {
    feature: fc.constantFrom("use:n", "use__total", "asked:amount"),
    transform: fc.constant("log1p" as const),
    default: fc.oneof(small, small.map(String)),
    ...moments,
  },
  { requiredKeys: ["feature"] },
);
const anyText = fc.record(
  {
    feature: fc.constant("use:colour"),
    equals: fc.constantFrom("red", "blue"),
    default: fc.constantFrom("red", "green"),
    ...moments,
  },
  { requiredKeys: ["feature", "equals"] },
);
const anyRow = fc.record({
  "use:n": fc.option(fc.integer({ min: 0, max: 9 })),
  "use:total": fc.option(small.map(String)),
  "asked:amount": fc.option(small),
  "use:colour": fc.option(fc.constantFrom("red", "blue", "grey")),
});
const anyCase = fc
  .array(fc.oneof(anyNumber, anyText), { minLength: 1, maxLength: 8 })
  .chain((inputs) => {
    const line = fc.array(small, { minLength: inputs.length, maxLength: inputs.length });
    return fc.record({
      inputs: fc.constant(inputs as readonly Input[]),
      coefficients: fc.tuple(line, line, line),
      intercepts: fc.tuple(small, small, small),
      row: anyRow,
    });
  });

describe("a linear model", () => {
  it("answers as the plain formula does, for any inputs, rows and classes, and adds up", () => {
    fc.assert(
      fc.property(anyCase, fc.constantFrom(1, 2, 3), ({ inputs, row, ...all }, classes) => {
        const coefficients = classes === 3 ? all.coefficients : [all.coefficients[0]];
        const intercepts = classes === 3 ? all.intercepts : [all.intercepts[0]];
        const names = { classes: ["a", "b", "c"].slice(0, classes) };
        const parts = { coefficients, intercepts, ...(classes > 1 && names) };
        const file = classes === 1 ? linearFile(inputs, parts) : logisticFile(inputs, parts);
        const plan = planOf(file);
        const values = plan.features.map((name) => row[name as keyof typeof row]);
        const answer = evaluateLinear(plan.linear, values, true);

        const z = inputs.map((input) =>
          naive(input, row[input.feature.replace("__", ":") as keyof typeof row] ?? undefined),
        );
        const scores = intercepts.map(
          (base, k) => base + z.reduce((sum, one, i) => sum + one * (coefficients[k]?.[i] ?? 0), 0),
        );
        const [score = 0] = scores;
        const logOdds = classes === 2 ? [0, score] : scores;
        const odds = logOdds.map((one) => Math.exp(one - Math.max(...logOdds)));
        const total = odds.reduce((a, b) => a + b, 0);
        const best = classes === 3 ? scores.indexOf(Math.max(...scores)) : 0;
        const expected = [score, (odds[1] ?? 0) / total, (odds[best] ?? 0) / total][classes - 1];
        expect(answer.value).toBeCloseTo(expected ?? 0, 9);
        const shares = Object.values(answer.probabilities ?? {});
        expect(shares).toHaveLength(classes === 1 ? 0 : classes);
        expect(answer.label === null).toBe(classes === 1);
        for (const [i, share] of shares.entries()) {
          expect(share).toBeCloseTo((odds[i] ?? 0) / total, 9);
        }

        const { base = 0, contributions } = answer.explanation ?? {};
        const explained = [...(contributions ?? [])].reduce((a, b) => a + b, base);
        expect(explained).toBeCloseTo(scores[best] ?? 0, 9);
        expect(answer.missing).toEqual(values.flatMap((value, i) => (value === null ? [i] : [])));
      }),
    );
  });
});

describe("an input", () => {
  it("is standardised after its logarithm, which keeps the sign", () => {
    expect(valueOf([{ ...N, mean: 1, scale: 4 }], 9)).toBe(2);
    expect(valueOf([{ ...N, transform: "log1p" }], Math.E - 1)).toBeCloseTo(1, 15);
    expect(valueOf([{ ...N, transform: "log1p", mean: -1 }], 1 - Math.E)).toBeCloseTo(0, 15);
  });

  it("reads decimals from their text, and flags as 0 and 1", () => {
    expect(valueOf([{ feature: "use:total" }], "129.90")).toBe(129.9);
    expect(valueOf([{ feature: "use:on" }], true)).toBe(1);
  });

  it("is 1 where its feature is what it names, of the same type", () => {
    const file = linearFile([RED, BLUE, { ...COLOUR, equals: true }], {
      coefficients: [[1, 20, 300]],
    });
    const answers = ["red", "blue", "grey", true, "true"].map((v) => evaluate(file, [v]).value);
    expect(answers).toEqual([1, 20, 0, 300, 0]);
  });
});

describe("a missing feature", () => {
  it("is the mean where the input names no other value", () => {
    const file = linearFile([{ ...N, mean: 5, scale: 2, transform: "log1p" }], { intercepts: [3] });
    expect(evaluate(file, [null])).toMatchObject({ value: 3, missing: [0] });
  });

  it("is the input's default, which goes the same way as a value", () => {
    const input = { ...N, default: "8", transform: "log1p", mean: 2, scale: 3 } as const;
    expect(evaluate(linearFile([input]), [null])).toEqual({
      ...evaluate(linearFile([input]), [8]),
      missing: [0],
    });
    expect(valueOf([{ ...RED, default: "red" }], null)).toBe(1);
    expect(valueOf([{ ...RED, default: "blue" }], null)).toBe(0);
  });

  it("leaves no answer where the input needs it, and all that are missing are told", () => {
    const needed = { feature: "use:total", default: null };
    const answer = evaluate(logisticFile([N, needed, RED]), [null, null, "red"], true);
    expect(answer).toEqual({ value: null, label: null, probabilities: null, missing: [0, 1] });
  });

  it("is also one whose text is no number, and is told once", () => {
    const file = linearFile([N, N, { ...RED, feature: "use:n" }]);
    expect(evaluate(file, ["a few"])).toMatchObject({ value: 0, missing: [0] });
    expect(evaluate(linearFile([RED, BLUE]), [null]).missing).toEqual([0]);
  });
});

describe("a classifier", () => {
  it("says its last class from the threshold on", () => {
    const at = (threshold: number, n: number) =>
      evaluate(logisticFile([N], { threshold }), [n]).label;
    expect([at(0.5, 0), at(0.5, -0.001), at(0.9, 2), at(0.9, 3)]).toEqual([
      "yes",
      "no",
      "no",
      "yes",
    ]);
    expect([at(0, -1e300), at(1, 1e300)]).toEqual(["yes", "yes"]);
  });

  it("says of many classes the most probable one, the first of equals", () => {
    const parts = {
      classes: ["a", "b", "c"],
      coefficients: [[0], [1], [1]],
      intercepts: [0, 0, 0],
    };
    expect(evaluate(logisticFile([N], parts), [0]).label).toBe("a");
    const answer = evaluate(logisticFile([N], parts), [1]);
    expect(answer.label).toBe("b");
    expect(answer.value).toBe(answer.probabilities?.["b"]);
  });

  it("has no answer where its sum leaves the doubles", () => {
    const file = linearFile([N, { feature: "use:total" }], { coefficients: [[1e200, -1e200]] });
    expect(evaluate(file, [1e200, 1e200]).value).toBeNull();
  });
});
