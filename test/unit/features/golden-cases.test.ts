import { describe, expect, it } from "vitest";
import { z } from "zod";
import { count, last } from "../../../src/features/aggregation.ts";
import { featureView, onDemand, type OnDemandView } from "../../../src/features/define.ts";
import { compareCase, failedCases, runCase } from "../../../src/features/golden-cases.ts";
import { compileDefinitions, type OnDemandPlan } from "../../../src/features/registry.ts";
import { device, readings } from "../../support/views.ts";

const use = featureView("use", {
  entity: device,
  source: readings,
  features: { n: count(), newest: last("colour") },
});
const base = { version: 1, request: z.object({ amount: z.number() }), from: [use] } as const;

function compiled(view: OnDemandView): OnDemandPlan {
  const plan = compileDefinitions([device, readings, use, view]).onDemand.get(view.name);
  if (plan === undefined) throw new Error("it is not there");
  return plan;
}

const features = {
  per_event: ({
    request,
    features: given,
  }: {
    request: { amount: number };
    features: { use: { n: number } };
  }) => request.amount / given.use.n,
  broken: (): number => {
    throw new Error("broken");
  },
};

describe("golden cases", () => {
  it("are met where every expected value is given, and the others do not matter", () => {
    const plan = compiled(
      onDemand("v", {
        ...base,
        features,
        cases: [{ request: { amount: 6 }, features: { use: { n: 3 } }, expect: { per_event: 2 } }],
      }),
    );
    expect(failedCases(plan)).toEqual([]);
  });

  it("say what was expected and what came of it", () => {
    const plan = compiled(
      onDemand("v", {
        ...base,
        features,
        cases: [
          { request: { amount: 6 }, features: { use: { n: 3 } }, expect: { per_event: 2 } },
          {
            request: { amount: 6 },
            features: { use: { n: 3 } },
            expect: { per_event: 3, broken: 1 },
          },
          // Divided by null, as by 0: no number.
          { request: { amount: 6 }, expect: { per_event: null as unknown as number } },
          { request: { amount: "6" as unknown as number }, expect: { per_event: 1 } },
        ],
      }),
    );
    const [wrong, broken, none, refused, ...more] = failedCases(plan);
    expect(wrong).toEqual({
      position: 2,
      feature: "per_event",
      detail: "per_event: expected 3, got 2",
    });
    expect(broken?.detail).toBe('broken: expected 1, got "(throws)"');
    expect(none?.detail).toBe('per_event: expected null, got "(throws)"');
    expect(refused).toMatchObject({ position: 4, feature: null });
    expect(refused?.detail).toMatch(/^its request is refused: amount: .*expected number/);
    expect(more).toEqual([]);
  });

  it("are run each with what was declared, whatever a function does with it", () => {
    const plan = compiled(
      onDemand("v", {
        ...base,
        features: {
          reckless: ({ features: given }) => ((given.use as { n: number }).n = 99),
          n: ({ features: given }) => given.use.n,
        },
        cases: [1, 2].map((n) => ({
          request: { amount: 1 },
          features: { use: { n: 1 } },
          expect: { n: n === 1 ? 1 : 2 },
        })),
      }),
    );
    expect(failedCases(plan)).toEqual([
      { position: 2, feature: "n", detail: "n: expected 2, got 1" },
    ]);
  });

  it("tell which features of views were looked at", () => {
    const plan = compiled(onDemand("v", { ...base, features: { x: features.per_event } }));
    const outcome = runCase(plan, { request: { amount: 1 }, expect: {} });
    expect(outcome.looked).toEqual(["use:n"]);
  });

  it("pass over what is expected of features that are gone", () => {
    const outcome = { refused: null, values: { a: 1 }, looked: [] };
    expect(compareCase(outcome, { a: 1, gone: 2 }, 1)).toEqual([]);
  });

  it("are refused where they name a feature that is not there", () => {
    const cases = [{ request: { amount: 1 }, expect: { typo: 1 } }];
    const view = onDemand("v", { ...base, features, cases: cases as never });
    expect(() => compiled(view)).toThrow(
      'on-demand view "v", golden case 1: there is no feature typo',
    );
    const given = [
      { request: { amount: 1 }, features: { use: { m: 1 }, other: { n: 1 } }, expect: {} },
    ];
    const other = onDemand("v", { ...base, features, cases: given as never });
    expect(() => compiled(other)).toThrow("there is no feature use:m, other:n");
  });

  it("are typed by the request, the views and the features", () => {
    const known = {
      known: ({ features: given }: { features: { use: { newest: string | null } } }) =>
        given.use.newest === "red",
    };
    const request = { amount: 1 };
    // @ts-expect-error an amount is a number
    onDemand("a", { ...base, features: known, cases: [{ request: { amount: "1" }, expect: {} }] });
    const m = { use: { m: 1 } };
    // @ts-expect-error the view has no "m"
    onDemand("b", { ...base, features: known, cases: [{ request, features: m, expect: {} }] });
    // @ts-expect-error there is no such feature
    onDemand("c", { ...base, features: known, cases: [{ request, expect: { unknown: true } }] });
    // @ts-expect-error it is a boolean
    onDemand("d", { ...base, features: known, cases: [{ request, expect: { known: 1 } }] });
    const typed = onDemand("e", {
      ...base,
      features: { known: ({ features: given }) => given.use.newest === "red" },
      cases: [{ request, features: { use: { newest: "red" } }, expect: { known: true } }],
    });
    expect(typed.cases).toHaveLength(1);
  });
});
