import type { Payment } from "../../local/demo/payments.ts";
import { consume } from "../../src/ingest/consume.ts";
import type { IngestMessage } from "../../src/ingest/envelope.ts";
import { DAY_MS } from "../../src/time.ts";
import { openEngine, openTenant, type Engine } from "../support/engine.ts";
import { deliveriesOf, inBatches, messagesOf } from "../support/messages.ts";
import { drawPayments, type Popularity } from "../support/payments.ts";
import type { Stores } from "../support/stores.ts";
import { checkApplied } from "./check-applied.ts";
import { readMeters, usedBetween, type Used } from "./meters.ts";
import { openRows, openTiles, type PlainWrite } from "./plain.ts";
import { watchLog, type Watched, type WatchedLog } from "./watch-log.ts";

const TENANT = "bench";
const HISTORY = 10_000;
const HISTORY_MS = 60 * DAY_MS;

/** What one run of one variant came to. */
export interface Run extends Watched {
  readonly events: number;
  readonly ms: number;
  /** How long each batch took. */
  readonly batchMs: readonly number[];
  readonly used: Used;
  /** Statements that were rolled back by a deadlock or a lost race, and sent again. */
  readonly resent: number;
  /** Entities that were left to a later fold, each time that they were. */
  readonly left: number;
}

/** How events come: how many a message holds, how many messages a batch, how many consumers. */
export interface Shape {
  readonly perMessage: number;
  readonly messages: number;
  readonly consumers: number;
  /** How far away the stores are. */
  readonly roundTripMs: number;
}

/** Stores that hold ten thousand payments of 60 days, and ways to give them more. */
export interface Scenario {
  /** Applies events as the Worker's consumers do. */
  freshet(shape: Shape, events: number): Promise<Run>;
  rows(shape: Shape, events: number): Promise<Run>;
  tiles(shape: Shape, events: number): Promise<Run>;
  /** Throws unless every event was applied exactly once and is visible online. */
  check(): Promise<void>;
  readonly engine: Engine;
  readonly log: WatchedLog;
  /** Events that freshet was given so far. */
  applied(): number;
}

type Take = (batch: readonly IngestMessage[]) => Promise<void>;

/** Opens a scenario in which customers and merchants are that popular. */
export async function openScenario(stores: Stores, popularity: Popularity): Promise<Scenario> {
  const opened = await openEngine(stores);
  const log = watchLog(opened.log);
  /** What consumers leave for later, and when it is due by performance.now(). */
  const later: { readonly message: IngestMessage; readonly due: number }[] = [];
  let left = 0;
  const queue: Engine["queue"] = {
    async send(messages, { delaySeconds = 0 } = {}) {
      const due = performance.now() + delaySeconds * 1_000;
      for (const message of messages) left += message.kind === "fold" ? message.entities.length : 0;
      later.push(...messages.map((message) => ({ message, due })));
    },
  };
  const engine: Engine = { ...opened, log, queue };
  await openTenant(engine, TENANT);
  const payments = drawPayments(popularity, popularity);
  const plain = { rows: await openRows(engine.sql), tiles: await openTiles(engine.sql) };
  let applied = 0;

  const drawn = (count: number, at: () => number): readonly Payment[] =>
    Array.from({ length: count }, () => payments.next(at()));

  /** The next batch: what was left for later and is due, then what is new, then all the rest. */
  function nextBatch(fresh: (readonly IngestMessage[])[], most: number): readonly IngestMessage[] {
    const now = performance.now();
    const due = later.filter((one) => one.due <= now).length;
    const take = (count: number): readonly IngestMessage[] =>
      later.splice(0, Math.min(count, most)).map(({ message }) => message);
    return due > 0 ? take(due) : (fresh.shift() ?? take(most));
  }

  /** Works the events off with so many consumers at once, and what these leave for later. */
  async function run(shape: Shape, events: readonly Payment[], take: Take): Promise<Run> {
    const { perMessage, messages, consumers, roundTripMs } = shape;
    const sent = await messagesOf(engine, TENANT, events, perMessage);
    const batches = [...inBatches(sent, messages)];
    const batchMs: number[] = [];
    const work = async (): Promise<void> => {
      for (;;) {
        const batch = nextBatch(batches, messages);
        if (batch.length === 0) return;
        const begun = performance.now();
        await take(batch);
        batchMs.push(performance.now() - begun);
      }
    };
    await stores.moveAway(roundTripMs);
    log.take();
    const earlier = { resent: engine.resent(), left };
    const before = await readMeters(engine.sql, stores);
    const begun = performance.now();
    await Promise.all(Array.from({ length: consumers }, work));
    const ms = performance.now() - begun;
    await stores.moveAway(0);
    const used = usedBetween(before, await readMeters(engine.sql, stores));
    const since = { resent: engine.resent() - earlier.resent, left: left - earlier.left };
    return { events: events.length, ms, batchMs, used, ...since, ...log.take() };
  }

  const freshet = (shape: Shape, events: number, at: () => number): Promise<Run> => {
    applied += events;
    return run(shape, drawn(events, at), async (batch) => {
      await consume(engine, deliveriesOf(batch));
    });
  };
  const plainly = (shape: Shape, events: number, write: PlainWrite): Promise<Run> =>
    run(shape, drawn(events, Date.now), (batch) =>
      write(batch.flatMap((message) => (message.kind === "events" ? message.events : []))),
    );

  await freshet({ perMessage: 50, messages: 10, consumers: 4, roundTripMs: 0 }, HISTORY, () =>
    Math.floor(Date.now() - Math.random() * HISTORY_MS),
  );
  return {
    engine,
    log,
    applied: () => applied,
    freshet: (shape, events) => freshet(shape, events, Date.now),
    rows: (shape, events) => plainly(shape, events, plain.rows),
    tiles: (shape, events) => plainly(shape, events, plain.tiles),
    check: () => checkApplied(engine, TENANT, applied),
  };
}
