import { describe, expect, it } from "vitest";
import { checks } from "../../../definitions/checks.ts";
import { compileDeployment } from "../../../src/deployment.ts";
import type { Plan } from "../../../src/planning/plan.ts";
import { checkPlan } from "../../../src/planning/team-checks.ts";
import { shop } from "../../support/shop-definitions.ts";

const plan: Plan = {
  deployment: compileDeployment(shop()),
  changes: [],
  beside: [],
  unchanged: 7,
  incompatible: [],
  sameFeatures: [],
  problems: ["one already"],
  warnings: [],
  seconds: 0,
};

describe("the team's checks", () => {
  it("add what they find to the plan's problems, each under its name", async () => {
    const checked = await checkPlan(plan, {
      preApply: [
        { name: "fine", run: () => [] },
        { name: "owners", run: ({ deployment }) => [...deployment.registry.views.keys()] },
        { name: "later", run: async ({ unchanged }) => [`${unchanged} are too few`] },
      ],
    });
    expect(checked).toEqual({
      ...plan,
      problems: ["one already", 'check "owners": spend', 'check "later": 7 are too few'],
    });
  });

  it("refuse a plan when one of them fails itself", async () => {
    const broken = (): never => {
      throw new Error("no such table");
    };
    const { problems } = await checkPlan(plan, { preApply: [{ name: "broken", run: broken }] });
    expect(problems).toEqual(["one already", 'check "broken" failed: no such table']);
  });

  it("keep the example's sources readable", async () => {
    expect((await checkPlan(plan, checks)).problems).toEqual(["one already"]);
    const change = { path: ["fields", "amount", "kind"], action: "changed" } as const;
    const { problems } = await checkPlan(
      {
        ...plan,
        incompatible: [
          {
            source: "payments",
            change: { ...change, before: "decimal", after: "number" },
            views: ["spend"],
            events: { count: 5, exact: true },
          },
        ],
      },
      checks,
    );
    expect(problems[1]).toMatch(/^check "sources stay readable": source payments, fields\.amount/);
  });
});
