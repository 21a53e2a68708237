import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { stateOfHistory } from "../../../src/features/build-view.ts";
import type { ViewPlan } from "../../../src/features/plan.ts";
import { planRegistered } from "../../../src/features/plan-view.ts";
import { specificationHash } from "../../../src/features/specification-hash.ts";
import { worstCaseBytes } from "../../../src/features/state-size.ts";
import { DAY_MS } from "../../../src/time.ts";
import { pathRegistry } from "../../support/paths.ts";
import { anyRichView } from "../../support/rich-views.ts";
import { tables } from "../../support/table-rows.ts";
import { anyEvent, toLogEvent } from "../../support/views.ts";
import { registry } from "../../support/write-path.ts";

const BASE = Date.UTC(2026, 5, 15, 13, 37);

/** All of a plan that is data, but for what is known of the deployment's own alone. */
const dataOf = ({ owner: _owner, description: _description, ...plan }: ViewPlan): unknown =>
  JSON.parse(
    JSON.stringify({
      ...plan,
      partials: plan.partials.map(({ field, ...partial }) => ({
        ...partial,
        field: field && [field.name, field.kind, field.dimensions],
      })),
    }),
  );

const registered = (plan: ViewPlan): ViewPlan => {
  const found = planRegistered(plan);
  if (found === null) throw new Error(`${plan.spec} is not understood`);
  return found;
};

describe("the plan of a view that another deployment registered", () => {
  it("is that of the definition, and makes the same states of the same events", () => {
    fc.assert(
      fc.property(
        anyRichView,
        fc.array(anyEvent(BASE, 10 * DAY_MS), { maxLength: 12 }),
        (plan, readings) => {
          const found = registered(plan);
          expect(dataOf(found)).toEqual(dataOf(plan));
          expect(worstCaseBytes(found)).toBe(worstCaseBytes(plan));
          const events = readings.map((one, i) => toLogEvent({ ...one, order: `e${i}` }, "d"));
          const entity = { tenant: "t", entity: "device", key: "d" };
          const history = { ...entity, version: events.length, events };
          expect(stateOfHistory(found, history)).toBe(stateOfHistory(plan, history));
        },
      ),
    );
  });

  it("is that of the definition for views of rows and of pairs, too", () => {
    const paths = pathRegistry({ within: "1h", fanOut: 2, alsoShop: true });
    for (const { views } of [registry, tables, paths]) {
      for (const plan of views.values()) expect(dataOf(registered(plan))).toEqual(dataOf(plan));
    }
  });

  it("is none where this engine would compute it otherwise", () => {
    const plan = registry.views.get("by_device") as ViewPlan;
    const changed = (from: string, to: string) => {
      const spec = plan.spec.replace(from, to);
      return { spec, stateId: `by_device@${specificationHash(spec)}` };
    };
    expect(planRegistered(changed("", ""))).not.toBeNull();
    expect(planRegistered(changed('"format":1', '"format":2'))).toBeNull();
    expect(planRegistered(changed('"aggregate":"sum"', '"aggregate":"harmonicMean"'))).toBeNull();
    expect(planRegistered(changed('"n":2', '"n":200'))).toBeNull();
    expect(planRegistered(changed('"where":[]', '"where":[],"trimmed":0.1'))).toBeNull();
    expect(planRegistered({ spec: plan.spec, stateId: "by_device@0" })).toBeNull();
    expect(planRegistered({ spec: "[]", stateId: "by_device@0" })).toBeNull();
  });
});
