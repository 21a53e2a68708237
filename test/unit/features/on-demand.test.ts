import { describe, expect, it } from "vitest";
import { z } from "zod";
import { AppError } from "../../../src/errors.ts";
import type { ViewAnswer } from "../../../src/features/assemble.ts";
import { count, lastN, sum } from "../../../src/features/aggregation.ts";
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
    expect(failed).toEqual(["ratio:odd"]);
  });

  it("are null and named where a function gives no plain value", async () => {
    const odd: Readonly<Record<string, () => unknown>> = {
      object: () => ({}),
      list: () => [1],
      nothing: () => undefined,
      whole: () => 1n,
      symbol: () => Symbol("s"),
      code: () => () => 1,
      nan: () => Number.NaN,
      infinite: () => -Infinity,
      promise: async () => 1,
      rejected: async () => Promise.reject(new Error("nobody waits for it")),
    };
    const fine = { none: () => null, text: () => "", no: () => false, zero: () => -0 };
    const view = onDemand("odd", {
      version: 1,
      request: z.object({}),
      from: [],
      features: { ...odd, ...fine } as never,
    });
    const all = compileDefinitions([view]);
    const failed = new Set<string>();
    const { onDemand: plans } = all;
    const computed = computeOnDemand(
      selectFeatures(all, { features: ["odd"] }),
      new Map(),
      new Map([["odd", {}]]),
      failed,
    ).get("odd");
    expect(plans.size).toBe(1);
    const names = Object.keys(odd);
    expect(computed?.values).toEqual([...names.map(() => null), null, "", false, -0]);
    expect([...failed]).toEqual(names.map((name) => `odd:${name}`));
    // A rejection that nobody caught would fail this run.
    await new Promise((resolve) => void setTimeout(resolve, 0));
  });

  it("see the same, whatever another function does with its request and features", () => {
    const given = featureView("given", {
      entity: device,
      source: readings,
      features: { prices: lastN("price", 2), by: count().by("colour", { keys: ["red"] }) },
    });
    const reckless = onDemand("reckless", {
      version: 1,
      request: z.object({ items: z.looseObject({}) }),
      from: [given],
      features: {
        view: ({ features }) => ((features as { given: unknown }).given = 1),
        feature: ({ features }) => ((features.given as { by: unknown }).by = 1),
        key: ({ features }) => ((features.given.by as { red: number }).red = 99),
        list: ({ features }) => (features.given.prices as string[] | null)?.push("9") ?? 0,
        request: ({ request: asked }) => ((asked as { items: unknown }).items = 1),
        inner: ({ request: asked }) => ((asked.items as { n: number }).n = 99),
        after: (input) => JSON.stringify(input),
      },
    });
    const all = compileDefinitions([device, readings, given, reckless]);
    const failed = new Set<string>();
    const computed = computeOnDemand(
      selectFeatures(all, { features: ["reckless"] }),
      new Map([
        [
          "given",
          { values: [["1"], { red: 1, other: 0 }], statuses: [], capped: [] } as ViewAnswer,
        ],
      ]),
      new Map([["reckless", { items: { n: 1 } }]]),
      failed,
    ).get("reckless");
    expect(computed?.values.slice(0, 6)).toEqual(Array(6).fill(null));
    expect(JSON.parse(computed?.values[6] as string)).toEqual({
      request: { items: { n: 1 } },
      features: { given: { prices: ["1"], by: { red: 1, other: 0 } } },
    });
    expect(failed.size).toBe(6);
  });

  it("are null where they are no number, and say who failed", () => {
    const { ratio: values, other: amounts, failed } = compute(answer(0, null), 2);
    expect(values?.values).toEqual([null, null, null, null, false]);
    expect(values?.statuses.slice(0, 3)).toEqual(Array(3).fill("NULL_VALUE"));
    expect(failed).toEqual(["ratio:per_event", "ratio:broken", "ratio:odd"]);
    expect(amounts?.values).toEqual([2]);
  });

  it("see null where a view has no answer", () => {
    expect(compute(new Map(), 2).ratio?.values[1]).toBeNull();
  });
});
