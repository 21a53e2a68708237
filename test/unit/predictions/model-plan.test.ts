import { describe, expect, it } from "vitest";
import { count, lastN } from "../../../src/features/aggregation.ts";
import { featureView, service } from "../../../src/features/define.ts";
import { DefinitionError } from "../../../src/features/fields.ts";
import { compileDefinitions } from "../../../src/features/registry.ts";
import { model } from "../../../src/predictions/define.ts";
import { compileModel } from "../../../src/predictions/model-plan.ts";
import { linearFile, logisticFile, planOf, registry, usage, use } from "./example.ts";

const N = { feature: "use:n" };

function refusal(compile: () => unknown): string {
  try {
    compile();
  } catch (error) {
    if (error instanceof DefinitionError) return error.message;
    throw error;
  }
  return "it was not refused";
}

describe("a model", () => {
  it("is pure data that says whose features it takes", () => {
    const file = linearFile([N]);
    expect(model("m", { features: usage, kind: "regressor", file, owner: "me" })).toEqual({
      kind: "model",
      name: "m",
      task: "regressor",
      features: usage,
      file,
      owner: "me",
      description: "",
    });
  });

  it("takes each feature once, in the order of its inputs and in either form of its name", () => {
    const plan = planOf(
      logisticFile([
        { feature: "asked:amount" },
        { feature: "use__colour", equals: "red" },
        { feature: "use:n" },
        { feature: "use:colour", equals: "blue" },
      ]),
    );
    expect(plan).toMatchObject({
      version: "5",
      task: "classifier",
      service: "usage",
      features: ["asked:amount", "use:colour", "use:n"],
      views: ["asked", "use"],
      classes: ["no", "yes"],
      threshold: 0.5,
    });
    expect(plan.inputs.map(({ feature }) => feature)[1]).toBe("use:colour");
    expect(["use__n", "use:n", "use:total", "other:n"].map((n) => plan.positions.get(n))).toEqual([
      2,
      2,
      -1,
      undefined,
    ]);
  });

  it("passes on what its file says of itself", () => {
    const said = { metrics: { auc: 0.9 }, trained_on: "a year" };
    expect(planOf(linearFile([N], said))).toMatchObject({
      metrics: { auc: 0.9 },
      trainedOn: "a year",
      classes: [],
      threshold: null,
    });
  });
});

describe("a model is refused", () => {
  it("where its service does not have a feature, which is named with those it has", () => {
    const message = refusal(() => planOf(linearFile([N, { feature: "use__count" }])));
    expect(message).toBe(
      'model "m", inputs[1]: the service "usage" has no "use__count"; it has use:n, use:total, ' +
        "use:level, use:colour, use:on, asked:amount, asked:root, asked:unused",
    );
  });

  it("where its service is not among the definitions", () => {
    const features = service("elsewhere", [use]);
    const of = model("m", { features, kind: "regressor", file: linearFile([N]) });
    expect(refusal(() => compileModel(of, registry))).toContain('uses the service "elsewhere"');
  });

  it("where its file is of another kind", () => {
    const of = model("m", { features: usage, kind: "regressor", file: logisticFile([N]) });
    expect(refusal(() => compileModel(of, registry))).toBe(
      'model "m" is a regressor, and its file holds a logistic model, which is a classifier',
    );
  });

  it("where its file is not in the format", () => {
    const of = model("m", { features: usage, kind: "regressor", file: { ...N } });
    expect(refusal(() => compileModel(of, registry))).toMatch(/^model "m", its file: format: /);
  });

  it("where it takes text as a number", () => {
    expect(refusal(() => planOf(linearFile([{ feature: "use:colour" }])))).toContain(
      'inputs[0]: "use:colour" is text: give "equals"',
    );
  });

  it("where it takes a list, or a value for each key, as a number", () => {
    const many = featureView("many", {
      entity: use.entity,
      source: use.source,
      features: {
        lately: lastN("level", 3),
        by_colour: count().by("colour", { keys: ["red"] }),
      },
    });
    const features = service("many_features", [many]);
    const defined = compileDefinitions([use.entity, use.source, many, features]);
    for (const feature of ["many:lately", "many:by_colour"]) {
      const of = model("m", { features, kind: "regressor", file: linearFile([{ feature }]) });
      expect(refusal(() => compileModel(of, defined))).toContain(`"${feature}" is several values`);
    }
  });

  it("where its name is no name", () => {
    const of = model("My model", { features: usage, kind: "regressor", file: linearFile([N]) });
    expect(refusal(() => compileModel(of, registry))).toContain('model "My model": a name is');
  });
});
