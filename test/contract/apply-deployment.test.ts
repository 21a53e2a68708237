import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applyDeployment, type ApplyDeploymentOptions } from "../../cli/apply-deployment.ts";
import { planText } from "../../cli/plan-text.ts";
import { runPlan, type RunPlanOptions } from "../../cli/run-plan.ts";
import { readOnlyClient } from "../../cli/support/guarded-client.ts";
import { runCommand } from "../../cli/args.ts";
import type { Definition } from "../../src/deployment.ts";
import { AppError } from "../../src/errors.ts";
import { count } from "../../src/features/aggregation.ts";
import type { SqlClient } from "../../src/platform/neon/sql-client.ts";
import { createMemoryOnlineStore } from "../support/fakes/memory-online-store.ts";
import { contributionsOf, logEvent } from "../support/log-events.ts";
import { SHOP_FEATURES, shop } from "../support/shop-definitions.ts";
import { sqlTruths, type SqlTruth } from "../support/stores.ts";
import { vault } from "../support/write-path.ts";

const more = shop({ features: { ...SHOP_FEATURES, orders: count() } });

describe.each(sqlTruths())("applying a deployment %s", (_name, open) => {
  let truth: SqlTruth;
  beforeAll(async () => {
    truth = await open();
    await truth.keyStore.registerTenant("t", 1);
  });
  afterAll(() => truth.close());

  const client = (): SqlClient => ({
    query: (...args) => truth.query(...args),
    batch: (...args) => truth.batch(...args),
  });

  interface Run {
    readonly printed: readonly string[];
    readonly outcome: Promise<string>;
  }

  function apply(
    definitions: readonly Definition[],
    options: Partial<ApplyDeploymentOptions> = {},
  ): Run {
    const printed: string[] = [];
    const outcome = applyDeployment({
      definitions,
      checks: { preApply: [] },
      client: client(),
      online: createMemoryOnlineStore(),
      vault,
      local: true,
      planLines: planText,
      print: (line) => void printed.push(line),
      draw: null,
      pause: async () => undefined,
      ...options,
    }).catch((error: unknown) =>
      error instanceof AppError ? `${error.code}: ${error.message}` : String(error),
    );
    return { printed, outcome };
  }

  async function plan(definitions: readonly Definition[], options: Partial<RunPlanOptions> = {}) {
    const printed: string[] = [];
    const told: string[] = [];
    const terminal = {
      print: (line: string) => void printed.push(line),
      tell: (line: string) => void told.push(line),
    };
    const code = await runCommand(terminal, "plan --help", () =>
      runPlan({
        definitions,
        checks: { preApply: [] },
        json: false,
        check: false,
        terminal,
        connect: async () => ({ ...client(), where: "the test", local: true }),
        ...options,
      }),
    );
    return { code, printed: printed.join("\n"), told: told.join("\n") };
  }

  /** An order of each buyer, folded; as body only what the events need to be read. */
  async function order(...buyers: readonly string[]): Promise<void> {
    for (const buyer of buyers) {
      const ref = { tenant: "t", entity: "buyer", key: buyer };
      const body = `{"amount":"2.5","at":"1000","buyer":"${buyer}","country":null,"order_id":"${buyer}"}`;
      const events = [logEvent("t", buyer, { source: "orders", body })];
      const contributions = contributionsOf(events, [ref]);
      const input = { events, contributions, touched: [ref], stateIds: [], now: 1 };
      for (const { pending, version, builds } of (await truth.eventLog.append(input)).entities) {
        const folded = pending.map(({ source, eventId }) => ({ source, eventId }));
        const commit = { ...ref, readVersion: version, builds, folded, poisoned: [], states: [] };
        await truth.eventLog.commit([commit], 2);
      }
    }
  }

  it("plans, registers, builds, and has nothing to do the next time", async () => {
    const before = await plan(shop());
    expect(before).toMatchObject({ code: 0, told: "" });
    expect(before.printed).toContain("Plan for the test:");
    expect(before.printed).toContain("7 added, 0 unchanged.");
    const first = apply(shop());
    expect(await first.outcome).toBe("applied");
    expect(first.printed).toContain("spend is version 1");
    expect(await plan(shop(), { check: true })).toMatchObject({ code: 0 });

    await order("ann", "ben");
    const changed = await plan(more);
    expect(changed.printed).toContain("~ view spend, version 1 → 2");
    expect(changed.printed).toContain("    + feature orders: count()");
    expect(changed.printed).toContain("    to be built from 2 events of 2 entities: about 1 s");
    expect((await plan(more, { check: true })).code).toBe(1);
    const machine = await plan(more, { json: true });
    expect(JSON.parse(machine.printed)).toMatchObject({
      changes: [{ name: "spend", build: { events: 2, entities: 2 } }],
      unchanged: 6,
    });
    const second = apply(more);
    expect(await second.outcome).toBe("applied");
    expect(second.printed.join("\n")).toContain("~ view spend, version 1 → 2");
    expect(second.printed).toContain("spend is version 2, built from the log for 2 entities");
    const third = apply(more);
    expect(await third.outcome).toBe("applied");
    expect(third.printed.slice(0, 1)).toEqual(["Nothing to do: 7 definitions are as applied."]);
    expect(await apply(shop()).outcome).toBe("applied");
  });

  it("builds beside what is in use, which goes on until it is applied without that", async () => {
    await apply(shop()).outcome;
    const listed = await truth.definitionHistory.list();
    const most = shop({ features: { ...SHOP_FEATURES, orders: count().over("1d") } });
    const inUse = async () =>
      (await truth.definitionStore.listViews())
        .filter(({ retired, complete }) => !retired && complete)
        .map(({ name, version }) => `${name} ${version}`);
    const before = await inUse();
    const next = apply(most, { beside: true });
    expect(await next.outcome).toBe("applied");
    const [spent] = before.filter((one) => one.startsWith("spend"));
    const stays = spent?.replace(" ", " version ");
    expect(next.printed.at(-1)).toBe(`${stays} stays in use beside them`);
    expect(await inUse()).toHaveLength(before.length + 1);
    // The Worker's indexes, and definitions of other kinds, are the deployed one's until then.
    expect(await truth.definitionHistory.list()).toEqual(listed);
    const planned = await plan(most);
    expect(planned.printed).toContain("Nothing to do");
    expect(planned.printed).toContain(`view ${spent?.replace(" ", ", version ")}`);
    expect(JSON.parse((await plan(most, { json: true })).printed)).toMatchObject({
      beside: [{ name: "spend" }],
    });
    expect((await plan(shop())).printed).toContain("Nothing to do");

    const switched = apply(most);
    expect(await switched.outcome).toBe("applied");
    expect(switched.printed.join()).not.toContain("built from the log");
    expect(await inUse()).not.toContain(spent);
    expect((await plan(most)).printed).not.toContain("In use beside");
    expect(await apply(shop()).outcome).toBe("applied");
  });

  it("changes nothing where a golden case or a check of the team refuses", async () => {
    await apply(shop()).outcome;
    const listed = await truth.definitionHistory.list();
    const wrong = shop({ ratio: () => 1, features: { ...SHOP_FEATURES, n: count() } });
    const refused = apply(wrong);
    expect(await refused.outcome).toBe("refused");
    expect(refused.printed.at(-1)).toMatch(/golden case 1 of those applied as version 1/);
    const checks = { preApply: [{ name: "no", run: () => ["never on a Friday"] }] };
    const friday = apply(more, { checks });
    expect(await friday.outcome).toBe("refused");
    expect(friday.printed.at(-1)).toBe('  check "no": never on a Friday');
    expect(await plan(more, { checks })).toMatchObject({ code: 1 });
    expect(await truth.definitionHistory.list()).toEqual(listed);
    expect((await plan(shop())).printed).toMatch(/Nothing to do/);
  });

  it("says what uses a definition that is gone", async () => {
    const refused = await plan(shop({ without: ["spend"] }));
    expect(refused).toMatchObject({ code: 1, printed: "" });
    expect(refused.told).toMatch(/^Cannot be applied: on-demand view "basket", service "checkout"/);
  });

  it("plans in transactions that can write nothing", async () => {
    const reading = readOnlyClient(client());
    expect(await reading.query("SELECT 1 AS n", [])).toEqual([{ n: 1 }]);
    const rows = await reading.batch([{ text: "SELECT 2 AS n", params: [] }]);
    expect(rows).toEqual([[{ n: 2 }]]);
    const insert = "INSERT INTO revoked_keys (tenant, key_id, revoked_at) VALUES ('t', 'k', 1)";
    await expect(reading.query(insert, [])).rejects.toThrow("The database");
    expect(await truth.query("SELECT 1 FROM revoked_keys WHERE key_id = 'k'")).toEqual([]);
  });

  it("is done by one at a time: a second one waits for a quick one to end", async () => {
    await apply(shop()).outcome;
    const [one, two] = [apply(more), apply(more)];
    expect(await Promise.all([one.outcome, two.outcome])).toEqual(["applied", "applied"]);
    const printed = [...one.printed, ...two.printed];
    expect(printed.filter((line) => line.startsWith("spend is version"))).toHaveLength(1);
    expect(
      printed.filter((line) => /being run by .*\(process \d+\), since 20/.test(line)),
    ).toHaveLength(1);
    expect(await truth.query("SELECT 1 FROM leases")).toEqual([]);
  });

  it("is finished by the next one after a crash at any step", async () => {
    let steps = 0;
    const counting = (limit: number): SqlClient => {
      const step = (): void => {
        steps += 1;
        if (steps > limit) throw new AppError("dependency_unavailable", "dies here");
      };
      return {
        query: async (...args) => (step(), client().query(...args)),
        batch: async (...args) => (step(), client().batch(...args)),
      };
    };
    await apply(shop()).outcome;
    expect(await apply(more, { client: counting(Infinity) }).outcome).toBe("applied");
    const needed = steps;
    expect(needed).toBeGreaterThan(8);
    for (let limit = 1; limit < needed; limit += 3) {
      expect(await apply(shop()).outcome).toBe("applied");
      steps = 0;
      expect(await apply(more, { client: counting(limit) }).outcome).toMatch(/dies here|applied/);
      // It could not give its lease back, which would end by itself.
      await truth.query("UPDATE leases SET expires_at = 0");
      expect(await apply(more).outcome).toBe("applied");
      expect((await plan(more, { check: true })).code).toBe(0);
    }
  }, 60_000);
});
