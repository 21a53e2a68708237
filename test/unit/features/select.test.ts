import { describe, expect, it } from "vitest";
import { z } from "zod";
import { AppError } from "../../../src/errors.ts";
import { count, sum } from "../../../src/features/aggregation.ts";
import { featureView, onDemand, service } from "../../../src/features/define.ts";
import { compileDefinitions } from "../../../src/features/registry.ts";
import { selectFeatures, viewOf, type Asked } from "../../../src/features/select.ts";
import { device, readings } from "../../support/views.ts";

const base = { entity: device, source: readings } as const;
const use = featureView("use", { ...base, features: { n: count(), total: sum("price") } });
const spare = featureView("spare", { ...base, features: { n: count() } });
const ratio = onDemand("ratio", {
  version: 3,
  request: z.object({}),
  from: [spare, use],
  features: { per_event: () => 1, other: () => 2 },
});
const registry = compileDefinitions([
  device,
  readings,
  use,
  spare,
  ratio,
  service("everything", [use, ratio]),
  service("computed", [ratio]),
]);

const select = (asked: Asked) => {
  const { outputs, views, onDemand: plans } = selectFeatures(registry, asked);
  return {
    names: outputs.map(({ name }) => name),
    views: views.map(({ name }) => name),
    onDemand: plans.map(({ name }) => name),
  };
};

function refusal(asked: Asked): AppError {
  try {
    selectFeatures(registry, asked);
  } catch (error) {
    if (error instanceof AppError) return error;
  }
  throw new Error("it was not refused");
}

describe("a selection of features", () => {
  it("names features as view:feature, whichever form asked for them", () => {
    const expected = { names: ["use:total"], views: ["use"], onDemand: [] };
    expect(select({ features: ["use:total"] })).toEqual(expected);
    expect(select({ features: ["use__total"] })).toEqual(expected);
    expect(select({ features: ["use"] }).names).toEqual(["use:n", "use:total"]);
  });

  it("answers each feature once, where it was first asked for", () => {
    expect(select({ features: ["spare:n", "use:total", "use", "use__n"] })).toEqual({
      names: ["spare:n", "use:total", "use:n"],
      views: ["spare", "use"],
      onDemand: [],
    });
  });

  it("reads what on-demand features are computed from, without answering it", () => {
    expect(select({ features: ["ratio:other"] })).toEqual({
      names: ["ratio:other"],
      views: ["spare", "use"],
      onDemand: ["ratio"],
    });
    expect(select({ service: "computed" }).names).toEqual(["ratio:per_event", "ratio:other"]);
    expect(select({ service: "everything" })).toEqual({
      names: ["use:n", "use:total", "ratio:per_event", "ratio:other"],
      views: ["use", "spare"],
      onDemand: ["ratio"],
    });
  });

  it("lists everything that is not known, with its place and what there is", () => {
    const error = refusal({ features: ["use:n", "use:nn", "toString", "everything", "use:"] });
    expect([error.code, error.errors]).toEqual([
      "unprocessable",
      [
        {
          path: "features[1]",
          code: "unknown_feature",
          detail: '"use" has no "nn"; it has n, total',
        },
        { path: "features[2]", code: "unknown_view", detail: 'there is no view "toString"' },
        { path: "features[3]", code: "unknown_view", detail: 'there is no view "everything"' },
        {
          path: "features[4]",
          code: "unknown_feature",
          detail: '"use" has no ""; it has n, total',
        },
      ],
    ]);
  });

  it("is refused for an unknown service, and for both or neither of the two", () => {
    expect(refusal({ service: "use" }).code).toBe("not_found");
    expect(refusal({}).code).toBe("invalid_request");
    expect(refusal({ service: "everything", features: ["use"] }).code).toBe("invalid_request");
  });

  it("knows the view of every reference", () => {
    expect(["use:n", "use__n", "use", "use:a__b"].map(viewOf)).toEqual(Array(4).fill("use"));
  });
});
