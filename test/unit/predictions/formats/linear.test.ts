import { describe, expect, it } from "vitest";
import { readLinear } from "../../../../src/predictions/formats/linear.ts";
import { linearFile, logisticFile } from "../example.ts";

const N = { feature: "use:n" };
const three = { classes: ["a", "b", "c"], intercepts: [0, 0, 0] };

function refusal(file: unknown): string {
  const read = readLinear(file);
  return read.ok ? "it was not refused" : read.error;
}

describe("a linear model's file", () => {
  it("is read with what it leaves out filled in", () => {
    const read = readLinear(linearFile([N, { ...N, transform: "log1p", default: "2.5" }]));
    expect(read).toMatchObject({
      ok: true,
      value: {
        inputs: [
          { feature: "use:n", mean: 0, scale: 1 },
          { transform: "log1p", default: "2.5" },
        ],
      },
    });
  });

  it("may be a classifier of two classes with one row, or of more with a row for each", () => {
    for (const file of [
      logisticFile([N], { threshold: 0 }),
      logisticFile([N], { ...three, coefficients: [[1], [2], [3]] }),
      logisticFile([N], { metrics: { auc: 0.9, parts: [1] }, trained_on: "some rows" }),
    ]) {
      expect(readLinear(file)).toEqual({ ok: true, value: expect.anything() as unknown });
    }
  });

  it.each<readonly [string, unknown, string]>([
    [
      "is of another format",
      { format: "onnx" },
      'format: Invalid input: expected "freshet-linear"',
    ],
    ["is nothing", null, "Invalid input: expected object, received null"],
    ["is of a later version", linearFile([N], { format_version: 2 }), "format_version: "],
    ["has a name of its own", linearFile([N], { bias: 1 }), 'Unrecognized key: "bias"'],
    [
      "has an input with a name of its own",
      linearFile([{ ...N, std: 1 } as never]),
      'inputs[0]: Unrecognized key: "std"',
    ],
    ["is of an unknown kind", linearFile([N], { kind: "tree" }), "kind: Invalid option"],
    ["takes nothing", linearFile([]), "inputs: Too small"],
    [
      "takes too much",
      linearFile(Array.from({ length: 10_001 }, () => N)),
      "inputs: Too big: expected array to have <=10000 items",
    ],
    ["has a scale of 0", linearFile([N, { ...N, scale: 0 }]), "inputs[1].scale: Too small"],
    [
      "has a number that is none",
      linearFile([N], { intercepts: [Number.NaN] }),
      "intercepts[0]: Invalid input: expected number",
    ],
    [
      "has a number beyond all bounds",
      linearFile([N], { coefficients: [[Number.POSITIVE_INFINITY]] }),
      "coefficients[0][0]: Invalid input: expected number",
    ],
    [
      "has a coefficient too few",
      linearFile([N, N], { coefficients: [[1]] }),
      "coefficients[0]: expected 2, one for each input, found 1",
    ],
    [
      "has a row too many",
      logisticFile([N], { coefficients: [[1], [2]] }),
      "coefficients: expected 1 for 2 classes, found 2",
    ],
    [
      "has a row too few",
      logisticFile([N], { ...three, coefficients: [[1], [2]] }),
      "coefficients: expected 3 for 3 classes, found 2",
    ],
    [
      "has an intercept too many",
      linearFile([N], { intercepts: [1, 2] }),
      "intercepts: expected 1 for a linear model, found 2",
    ],
    ["has one class", logisticFile([N], { classes: ["a"] }), "classes: Too small"],
    [
      "has a class twice",
      logisticFile([N], { classes: ["a", "a"] }),
      "classes: one is there twice",
    ],
    ["has classes and is linear", linearFile([N], { classes: ["a", "b"] }), "classes: a linear"],
    [
      "has no classes and is logistic",
      linearFile([N], { kind: "logistic" }),
      "classes: a logistic",
    ],
    ["has a threshold and is linear", linearFile([N], { threshold: 0.5 }), "threshold: only"],
    [
      "has a threshold and three classes",
      logisticFile([N], { ...three, coefficients: [[1], [2], [3]], threshold: 0.5 }),
      "threshold: only a model of two classes has one",
    ],
    ["has a threshold above 1", logisticFile([N], { threshold: 1.5 }), "threshold: Too big"],
    [
      "replaces a number by text",
      linearFile([{ ...N, default: "many" }]),
      "inputs[0].default: expected a number, as this input is one",
    ],
    [
      "replaces text by a number",
      linearFile([{ ...N, equals: "red", default: 1 }]),
      'inputs[0].default: expected a string, as "equals" is one',
    ],
    [
      "takes the logarithm of text",
      linearFile([{ ...N, equals: "red", transform: "log1p" }]),
      'inputs[0].transform: an input with "equals" has none',
    ],
    [
      "replaces by an object",
      linearFile([{ ...N, default: {} as never }]),
      "inputs[0].default: expected a number, text, a boolean or null",
    ],
  ])("is refused where it %s", (_, file, message) => {
    expect(refusal(file)).toContain(message);
  });

  it("is refused with its first five faults, and how many more there are", () => {
    const wrong = linearFile(Array.from({ length: 9 }, () => ({ ...N, scale: -1 })));
    expect(refusal(wrong).split("; ")).toHaveLength(6);
    expect(refusal(wrong)).toMatch(/^inputs\[0\]\.scale: .*; and 4 more$/);
  });
});
