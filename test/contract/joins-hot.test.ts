import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DerivedEvent, EntityCommit } from "../../src/features/event-log.ts";
import type { MetAnswer, MetQuery } from "../../src/features/met-events.ts";
import { consume } from "../../src/ingest/consume.ts";
import { JOIN_LIMITS } from "../../src/ingest/join-limits.ts";
import { newTenant } from "../support/log-events.ts";
import { pathRegistry, stepOf, stepEvent, type Step } from "../support/paths.ts";
import { applyAll, NOW, openPorts } from "../support/play.ts";
import { sqlTruths, type SqlTruth } from "../support/stores.ts";
import { consumerOf, deliver, eventsMessage } from "../support/write-path.ts";

const LOGGED = 25_000;
const START = NOW - 3_600_000;
const FAN_OUT = 3;
const FEW = FAN_OUT + JOIN_LIMITS.search.spare;
const registry = pathRegistry({ within: "1h", fanOut: FAN_OUT, alsoShop: false });
const [join = ""] = registry.joinsByEntity.keys();

/**
 * Clicks and orders of one shopper in turns, folded long ago: `at` says in SQL when the i-th was. Their
 * pairs are left out.
 */
async function fill(truth: SqlTruth, tenant: string, at: string): Promise<void> {
  const times = `SELECT i, i % 2 = 0 AS is_left, ${START}::bigint + ${at} AS at
                   FROM generate_series(1, ${LOGGED}) AS i`;
  await truth.query(
    `INSERT INTO events (tenant, source, event_id, event_time, ingest_time, sign, order_key,
                         body_hash, body)
     SELECT $1, CASE WHEN is_left THEN 'clicks' ELSE 'orders' END, id, at, at + 7, 1, id,
            decode(md5(id), 'hex'), CASE WHEN is_left THEN
              '{"ad":"a1","at":"1","click_id":"c","shop":"x","who":"ada"}'::json ELSE
              '{"amount":"1","at":"1","buyer":"ada","order_id":"o","shop":"x"}'::json END
       FROM (SELECT *, CASE WHEN is_left THEN 'c' ELSE 'o' END || lpad(i::text, 5, '0') AS id
               FROM (${times}) AS t) AS e`,
    [tenant],
  );
  await truth.query(
    `INSERT INTO entity_log (tenant, entity, entity_key, version, known_at, source, event_id,
                             event_time)
     SELECT $1, $2, 'ada', row_number() OVER (ORDER BY substr(event_id, 2)), event_time + 1000,
            source, event_id, event_time
       FROM events WHERE tenant = $1`,
    [tenant, join],
  );
  await truth.query(
    `INSERT INTO entity_heads (tenant, entity, entity_key, previous, version, builds)
     VALUES ($1, $2, 'ada', 0, ${LOGGED}, 0)`,
    [tenant, join],
  );
}

const step = (side: Step["side"], id: string, time: number, known: number | null = null): Step =>
  stepOf(side, id, time, { known });

describe.each(sqlTruths())("a join's key with 25,000 events within reach %s", (_name, open) => {
  let truth: SqlTruth;
  beforeAll(async () => void (truth = await open()));
  afterAll(() => truth.close());

  async function openHot(at: string) {
    const tenant = newTenant();
    const ports = openPorts(truth, tenant);
    await applyAll(truth, ports, tenant, registry);
    await fill(truth, tenant, at);
    const made: DerivedEvent[] = [];
    const looks: number[] = [];
    const log = {
      ...ports.log,
      async readMet(queries: readonly MetQuery[]): Promise<readonly MetAnswer[]> {
        const answers = await ports.log.readMet(queries);
        looks.push(answers.reduce((sum, one) => sum + one.rights.length + one.lefts.length, 0));
        return answers;
      },
      commit(commits: readonly EntityCommit[], now: number) {
        made.push(...commits.flatMap(({ derived = [] }) => derived));
        return ports.log.commit(commits, now);
      },
    };
    return {
      tenant,
      /** What some steps make, and how many events were read for them, look by look. */
      take: async (...steps: readonly Step[]) => {
        made.length = 0;
        looks.length = 0;
        const message = eventsMessage(steps.map((one) => stepEvent(one, tenant)));
        const delivery = deliver(message, "m");
        await consume({ ...consumerOf({ ...ports, log }, () => NOW), registry }, [delivery]);
        expect(delivery.outcome()).toBe("acked");
        return { made: made.map(({ event }) => event.eventId).toSorted(), looks: [...looks] };
      },
    };
  }

  it("takes whatever comes in one look at a few of them", async () => {
    // One each tenth of a second, the last one 2,500 s after the first.
    const { take } = await openHot("i * 100");
    const last = START + LOGGED * 100;
    expect(await take(step("left", "new", last + 50))).toEqual({ made: [], looks: [0] });
    const right = await take(step("right", "now", last + 60));
    expect(right.made).toEqual(["c24998‖now", "c25000‖now", "new‖now"]);
    expect(right.looks).toEqual([FEW]);
    // The orders up to the third click after it: 12,001, 12,003 and 12,005.
    const late = await take(step("left", "late", START + 12_000 * 100 + 1));
    expect(late.made).toEqual([
      "c11996‖o12001‖-",
      "c11998‖o12003‖-",
      "c12000‖o12005‖-",
      "late‖o12001",
      "late‖o12003",
      "late‖o12005",
    ]);
    expect(late.looks).toHaveLength(1);
    expect(late.looks[0]).toBeLessThan(100);
    // Known between the clicks and orders after it: as late as the other, or a moment earlier.
    const known = START + 6_000 * 100 + 1_050;
    const imported = await take(step("left", "past", START + 6_000 * 100 + 1, known));
    expect(imported.made).toEqual(
      ["c05996‖o06001", "c05998‖o06003", "c06000‖o06005"]
        .map((pair) => `${pair}‖-`)
        .concat(["past‖o06001", "past‖o06003", "past‖o06005"]),
    );
    expect(imported.looks).toHaveLength(1);
    expect(imported.looks[0]).toBeLessThan(200);
  });

  it("takes what comes among thousands at one moment", async () => {
    // All clicks at once, and then all orders.
    const { take } = await openHot("(1 - i % 2) * 1000 + (i % 2) * 2000");
    const right = await take(step("right", "now", START + 3_000));
    expect(right.made).toEqual(["c24996‖now", "c24998‖now", "c25000‖now"]);
    expect(right.looks).toEqual([FEW]);
    expect(await take(step("left", "before", START + 999))).toEqual({ made: [], looks: [0] });
    expect(await take(step("left", "c", START + 1_000))).toEqual({ made: [], looks: [0] });
    const among = await take(step("right", "then", START + 2_000));
    expect(among.made).toEqual(["c24996‖then", "c24998‖then", "c25000‖then"]);
  });

  it("refuses an event that changes more pairs than a commit takes, and goes on", async () => {
    const { tenant, take } = await openHot("(1 - i % 2) * 1000 + (i % 2) * 2000");
    const { made } = await take(
      step("left", "z", START + 1_000),
      step("right", "now", START + 3_000),
    );
    expect(made).toEqual(["c24996‖now", "c24998‖now", "c25000‖now"]);
    const items = await truth.quarantine.list(tenant, { limit: 9, cursor: null, source: null });
    expect(items.items).toMatchObject([{ reason: "fold_failed", eventId: "z" }]);
  });
});
