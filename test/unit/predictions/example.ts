import { z } from "zod";
import { count, last, sum } from "../../../src/features/aggregation.ts";
import { featureView, onDemand, service } from "../../../src/features/define.ts";
import { compileDefinitions } from "../../../src/features/registry.ts";
import { model } from "../../../src/predictions/define.ts";
import { compileModel, type ModelPlan } from "../../../src/predictions/model-plan.ts";
import { device, readings } from "../../support/views.ts";

export const use = featureView("use", {
  entity: device,
  source: readings,
  maxAge: "2h" as const,
  features: {
    n: count().over("1h"),
    total: sum("price").over("1d"),
    level: last("level").default(7),
    colour: last("colour"),
    on: last("on"),
  },
});

export const asked = onDemand("asked", {
  version: 3,
  request: z.object({ amount: z.number() }),
  from: [use],
  features: {
    amount: ({ request }) => request.amount,
    root: ({ request }) => (request.amount < 0 ? refuse() : Math.sqrt(request.amount)),
    unused: () => refuse(),
  },
});

const refuse = (): never => {
  throw new Error("no such root");
};

export const usage = service("usage", [use, asked]);
export const registry = compileDefinitions([device, readings, use, asked, usage]);

export interface Input {
  readonly feature: string;
  readonly equals?: string | boolean;
  readonly transform?: "log1p";
  readonly mean?: number;
  readonly scale?: number;
  readonly default?: string | number | boolean | null;
}

/** A linear file that takes each input once; parts of it may be others. */
export const linearFile = (inputs: readonly Input[], parts: object = {}) => ({
  format: "freshet-linear",
  format_version: 1,
  kind: "linear",
  version: "5",
  inputs,
  coefficients: [inputs.map(() => 1)],
  intercepts: [0],
  ...parts,
});

/** The same as a classifier of `no` and `yes`. */
export const logisticFile = (inputs: readonly Input[], parts: object = {}) =>
  linearFile(inputs, { kind: "logistic", classes: ["no", "yes"], ...parts });

/** The plan of a file's model over the service `usage`. */
export function planOf(file: { readonly kind: string }): ModelPlan {
  const kind = file.kind === "linear" ? "regressor" : "classifier";
  return compileModel(model("m", { features: usage, kind, file }), registry);
}
