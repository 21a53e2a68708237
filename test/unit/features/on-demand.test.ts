import { describe, expect, it } from "vitest";
import { z } from "zod";
import { AppError } from "../../../src/errors.ts";
import type { ViewAnswer } from "../../../src/features/assemble.ts";
import { count, sum } from "../../../src/features/aggregation.ts";
import { featureView, onDemand } from "../../../src/features/define.ts";
import { computeOnDemand, readRequests } from "../../../src/features/on-demand.ts";
import { compileDefinitions } from "../../../src/features/registry.ts";
import { selectFeatures } from "../../../src/features/select.ts";
import { device, readings } from "../../support/views.ts";

const use = featureView("use", {
  entity: device,
  source: readings,
  features: {
    n: count(),
    total: sum("price"),
  },
});
const request = z.object({ amount: z.number(), note: z.string().optional() });
const ratio = onDemand("ratio", {
  version: 1,
  request,
  from: [use],
  features: {
    per_event: ({ request: { amount }, features }) => amount / features.use.n,
    total: ({ features }) => features.use.total,
    broken: ({ features }) => features.use.total?.length ?? missing(),
    odd: () => ({ not: "a value" }) as never,
    flag: () => false,
  },
});
const other = onDemand("other", {
  version: 1,
  request: z.object({ amount: z.number().positive() }),
  from: [],
  features: { amount: ({ request: { amount } }) => amount },
});
const registry = compileDefinitions([device, readings, use, ratio, other]);
const selection = selectFeatures(registry, { features: ["ratio", "other"] });

const missing = (): never => {
  throw new Error("there is no total");
};

function refusal(requests: readonly Readonly<Record<string, unknown>>[] | undefined): AppError {
  try {
    readRequests(selection.onDemand, requests, 2);
  } catch (error) {
    if (error instanceof AppError) return error;
  }
  throw new Error("it was not refused");
}

const answer = (n: number, total: string | null): ReadonlyMap<string, ViewAnswer> =>
  new Map([["use", { values: [n, total], statuses: ["PRESENT", "PRESENT"], capped: [] }]]);

function compute(of: ReadonlyMap<string, ViewAnswer | undefined>, amount: number) {
  const failed = new Set<string>();
  const [requests = new Map()] = readRequests(selection.onDemand, [{ amount }], 1);
  const computed = computeOnDemand(selection, of, requests, failed);
  return { ratio: computed.get("ratio"), other: computed.get("other"), failed: [...failed] };
}

describe("requests of on-demand features", () => {
  it("are read once for each view that needs them", () => {
    const [first, second] = readRequests(
      selection.onDemand,
      [{ amount: 1, note: "a", more: [] }, { amount: 2 }],
      2,
    );
    expect(first?.get("ratio")).toEqual({ amount: 1, note: "a" });
    expect(first?.get("other")).toEqual({ amount: 1 });
    expect(second?.get("ratio")).toEqual({ amount: 2 });
    expect(readRequests([], undefined, 2)).toEqual([]);
  });

  it("are one for each entity, or none at all where nothing is needed of them", () => {
    expect(refusal([{ amount: 1 }]).message).toMatch(/1 objects for 2 entities/);
    expect(refusal(undefined).errors.map(({ path }) => path)).toEqual([
      "request[0].amount",
      "request[0].amount",
      "request[1].amount",
      "request[1].amount",
    ]);
  });

  it("are refused with every field that is wrong, and whose it is", () => {
    const { code, errors } = refusal([{ amount: 1 }, { amount: -1, note: 5 }]);
    expect(code).toBe("unprocessable");
    expect(errors.map(({ path, code: why, detail }) => [path, why, detail.split(":")[0]])).toEqual([
      ["request[1].note", "invalid_type", '"ratio"'],
      ["request[1].amount", "too_small", '"other"'],
    ]);
  });
});

describe("on-demand features", () => {
  it("are computed from the request and the features of the views", () => {
    const { ratio: values, other: amounts, failed } = compute(answer(4, "2.50"), 2);
    expect(values).toMatchObject({
      values: [0.5, "2.50", 4, null, false],
      statuses: ["PRESENT", "PRESENT", "PRESENT", "NULL_VALUE", "PRESENT"],
    });
    expect(amounts?.values).toEqual([2]);
    expect(failed).toEqual([]);
  });

  it("are null where they are no number, and say who failed", () => {
    const { ratio: values, other: amounts, failed } = compute(answer(0, null), 2);
    expect(values?.values).toEqual([null, null, null, null, false]);
    expect(values?.statuses.slice(0, 3)).toEqual(Array(3).fill("NULL_VALUE"));
    expect(failed).toEqual(["ratio:broken"]);
    expect(amounts?.values).toEqual([2]);
  });

  it("see null where a view has no answer", () => {
    expect(compute(new Map(), 2).ratio?.values[1]).toBeNull();
  });
});
