import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { applyDefinitions } from "../../src/features/apply-definitions.ts";
import { auditAnswers } from "../../src/features/audit-answers.ts";
import { readHistory } from "../../src/features/read-history.ts";
import { WAITING_LIMITS } from "../../src/features/waiting-limits.ts";
import { readOnline } from "../../src/features/read-online.ts";
import { consume, type ConsumeContext } from "../../src/ingest/consume.ts";
import type { IngestMessage } from "../../src/ingest/envelope.ts";
import { beginFill } from "../../src/ingest/fill.ts";
import { logAnswer } from "../../src/ingest/log-answer.ts";
import { DAY_MS } from "../../src/time.ts";
import { anyWaitingLimits, sweepAll } from "../support/any-waiting-limits.ts";
import type { createMemoryIngestQueue } from "../support/fakes/memory-ingest-queue.ts";
import { Interleaving, type Fate } from "../support/interleaving.ts";
import { newTenant } from "../support/log-events.ts";
import { oracleValue } from "../support/oracle.ts";
import { openPorts, type Bystander } from "../support/play.ts";
import { anyOrder, shuffled } from "../support/shuffle.ts";
import { reader } from "../support/skew.ts";
import { truths, type Truth } from "../support/stores.ts";
import {
  anyChanges,
  byBuyer,
  byShop,
  changeOf,
  ROWS_NOW,
  tableAfter,
  tables,
  type Row,
  type SentChange,
} from "../support/table-rows.ts";
import { oracleFeatures } from "../support/views.ts";
import { consumerOf, deliver, eventsMessage, vault, type Ports } from "../support/write-path.ts";

const LATER = ROWS_NOW + DAY_MS;

const ctxOf = (ports: Ports, now = ROWS_NOW): ConsumeContext => ({
  ...consumerOf(ports, () => now),
  registry: tables,
});

async function drain(ports: Ports): Promise<void> {
  const queue = ports.queue as ReturnType<typeof createMemoryIngestQueue>;
  for (let left = queue.drain(); left.length > 0; left = queue.drain()) {
    await consume(
      ctxOf(ports),
      left.map(({ body }, i) => deliver(body, `q${i}`)),
    );
  }
}

async function openTables(
  truth: Truth,
  tenant: string,
  limits: Pick<Ports, "waitingLimits"> = {},
): Promise<Ports> {
  const ports = { ...openPorts(truth, tenant), ...limits };
  await truth.keyStore.registerTenant(tenant, ROWS_NOW);
  await applyDefinitions({
    ...ports,
    registry: tables,
    definitions: truth.definitionStore,
    now: () => ROWS_NOW,
    progress: () => undefined,
    fold: async () => undefined,
    foldWaiting: async () => undefined,
  });
  await beginFill({ ...ports, now: () => ROWS_NOW }, tenant);
  await drain(ports);
  return ports;
}

const chunks = <T>(items: readonly T[], size: number): T[][] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );

interface Play {
  readonly batches: IngestMessage[][];
  readonly consumers: number;
  readonly turns: readonly number[];
  readonly fates: readonly Fate[];
  readonly bystander: Bystander;
}

/** Several consumers that die or lose answers, until every message is settled. */
async function play(ports: Ports, script: Play): Promise<void> {
  const { batches, consumers, turns, fates, bystander } = script;
  const interleaving = new Interleaving(turns, fates);
  const consumer = (id: number) => async (): Promise<void> => {
    for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
      const deliveries = batch.map((body, i) => deliver(body, `${id}-${i}`));
      const death = Promise.withResolvers<true>();
      const own = {
        ...ports,
        log: interleaving.port(id, ports.log, () => death.resolve(true)),
        online: interleaving.port(id, ports.online, () => death.resolve(true)),
      };
      const life = consume(ctxOf(own), deliveries).then(() => false);
      const died = await Promise.race([life, death.promise]);
      const again = deliveries.filter(({ outcome }) => died || outcome() !== "acked");
      if (again.length > 0) batches.push(again.map(({ body }) => body as IngestMessage));
    }
  };
  await interleaving.run([
    ...Array.from({ length: consumers }, (_, id) => consumer(id)),
    () => bystander(interleaving, consumers),
  ]);
  await sweepAll(ctxOf(ports, LATER), () => drain(ports));
}

const expected = (view: string, rows: readonly Row[], asOf: number) => {
  const plan = tables.views.get(view);
  if (plan === undefined) throw new Error(`no view ${view}`);
  const events = rows.map((row) => ({
    time: Number(row["created_at"]),
    order: String(row["order_id"]),
    fields: row,
  }));
  return oracleFeatures(plan).map((feature) =>
    oracleValue({ ...feature, asText: feature.field === "amount" }, events, asOf),
  );
};

const BOTH = ["ada", "bob"].map((buyer, i) => ({ buyer, shop: `s${i + 1}` }));

/** Somebody who reads at these times, and whose every answer is logged for the skew audit. */
function askingAt(ports: Ports, tenant: string, times: readonly number[]) {
  const questions = times.map((now) => ({
    features: [byBuyer.name, byShop.name],
    entities: BOTH,
    now,
  }));
  const logged: Promise<void>[] = [];
  const logging = { queue: ports.queue, now: () => ROWS_NOW, random: () => 0.5 };
  const asked = { registry: tables, online: ports.online, tenant };
  const bystander = reader(asked, questions, (read) => {
    logged.push(logAnswer({ ...logging, note: () => undefined }, read));
  });
  return { bystander, logged };
}

/** Whatever was answered while changes came in is what history says of it. */
async function expectNoSkew(truth: Truth, tenant: string, answers: number): Promise<void> {
  const report = await auditAnswers(
    {
      history: truth.historyLog,
      definitions: truth.definitionStore,
      servedAnswers: truth.servedAnswers,
    },
    { tenants: [tenant], since: 0, limit: Number.POSITIVE_INFINITY, shown: 5 },
  );
  expect(report).toMatchObject({ answers, mismatched: 0, missing: 0, extra: 0, differences: [] });
}

/** Online and in history, features are those of the rows that are there. */
async function expectFeatures(
  truth: Truth,
  ports: Ports,
  tenant: string,
  changes: readonly SentChange[],
): Promise<void> {
  const rows = [...tableAfter(changes).values()];
  for (const [view, column, keys] of [
    [byBuyer.name, "buyer", ["ada", "bob"]],
    [byShop.name, "shop", ["s1", "s2"]],
  ] as const) {
    const entities = keys.map((key) => ({ [column]: key }));
    const ctx = { ...ctxOf(ports, LATER), whenIncomplete: "unavailable" } as const;
    const answer = await readOnline(ctx, { tenant, features: [view], entities });
    for (const [i, key] of keys.entries()) {
      const own = rows.filter((row) => row[column] === key);
      expect(answer.results[i]?.values).toEqual(expected(view, own, answer.asOf));
    }
    const asked = answer.results.map(({ entity, version }) => ({
      entity,
      version,
      at: answer.asOf,
    }));
    const history = await readHistory(
      {
        registry: tables,
        history: truth.historyLog,
        definitions: truth.definitionStore,
        vault,
        now: () => LATER + DAY_MS,
      },
      { tenant, features: [view], rows: asked },
    );
    for (const [i, { values, statuses, capped }] of answer.results.entries()) {
      expect(history.rows[i]).toEqual({ values, statuses, capped });
    }
  }
  expect(await ports.log.findUnfinished(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
  const { items } = await ports.quarantine.list(tenant, { limit: 9, cursor: null, source: null });
  expect(items).toEqual([]);
}

describe.each(truths())("features of a table's rows %s", (where, open) => {
  let truth: Truth;
  beforeAll(async () => void (truth = await open()));
  afterAll(() => truth.close());

  it("are those of the rows that are there, whatever is repeated, reordered, lost or killed", async () => {
    const anyFate = fc.oneof(
      { weight: 8, arbitrary: fc.constant<Fate>("go") },
      {
        weight: 1,
        arbitrary: fc.constantFrom<Fate>("die-before", "die-after", "store-down", "lose-answer"),
      },
    );
    const anyScript = fc.record({
      changes: anyChanges,
      perMessage: fc.integer({ min: 1, max: 4 }),
      perBatch: fc.integer({ min: 1, max: 4 }),
      copies: fc.integer({ min: 1, max: 3 }),
      order: anyOrder,
      consumers: fc.integer({ min: 1, max: 4 }),
      turns: fc.array(fc.nat({ max: 11 }), { minLength: 1, maxLength: 60 }),
      fates: fc.array(anyFate, { maxLength: 40 }),
      waitingLimits: anyWaitingLimits,
      askedAt: fc.array(fc.integer({ min: ROWS_NOW - 9 * DAY_MS, max: LATER }), { maxLength: 5 }),
    });
    let answered = 0;
    await fc.assert(
      fc.asyncProperty(anyScript, async ({ changes, waitingLimits, ...script }) => {
        const tenant = newTenant();
        const ports = await openTables(truth, tenant, { waitingLimits });
        const sent = await Promise.all(changes.map((change) => changeOf(tenant, change)));
        const messages = chunks(sent, script.perMessage).map(eventsMessage);
        const copies = messages.flatMap((body) =>
          Array.from({ length: script.copies }, () => body),
        );
        const batches = chunks(shuffled(copies, script.order), script.perBatch);
        const { bystander, logged } = askingAt(ports, tenant, script.askedAt);
        await play(ports, { ...script, batches, bystander });
        await Promise.all(logged);
        await drain(ports);
        await expectNoSkew(truth, tenant, logged.length * 2 * BOTH.length);
        answered += logged.length;
        await expectFeatures(truth, ports, tenant, changes);
      }),
      { numRuns: where === "in memory" ? 100 : 20 },
    );
    expect(answered).toBeGreaterThan(20);
  }, 60_000);

  it.each([
    ["", WAITING_LIMITS],
    [", who fold a few events at a time", { share: 3, events: 3, toMeet: 1, bytes: 1e6 }],
  ])(
    "are right with consumers at once on the same few rows%s",
    async (_how, waitingLimits) => {
      const tenant = newTenant();
      const ports = await openTables(truth, tenant, { waitingLimits });
      const changes = Array.from({ length: 160 }, (_, i): SentChange => {
        const id = `r${(i * 7) % 5}`;
        const row = {
          order_id: id,
          buyer: i % 3 === 0 ? "ada" : "bob",
          shop: i % 2 === 0 ? "s1" : "s2",
          amount: String(i % 4),
          created_at: ROWS_NOW - (i % 5) * 1_000,
        };
        return { id, order: (i * 37) % 160, row: i % 11 === 0 ? null : row };
      });
      const sent = await Promise.all(changes.map((change) => changeOf(tenant, change)));
      const messages = chunks(sent, 5).map(eventsMessage);
      const batches = chunks([...messages, ...messages.toReversed()], 2);
      const consumers = Array.from({ length: 6 }, async () => {
        for (let batch = batches.shift(); batch !== undefined; batch = batches.shift()) {
          const deliveries = batch.map((body, i) => deliver(body, `m${i}`));
          await consume(ctxOf(ports), deliveries);
          const again = deliveries.filter(({ outcome }) => outcome() !== "acked");
          if (again.length > 0) batches.push(again.map(({ body }) => body as IngestMessage));
        }
      });
      await Promise.all(consumers);
      await sweepAll(ctxOf(ports, LATER), () => drain(ports));
      await expectFeatures(truth, ports, tenant, changes);
    },
    60_000,
  );
});
