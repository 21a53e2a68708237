import {
  count,
  countDistinct,
  last,
  lastN,
  max,
  mean,
  sum,
  varPop,
} from "../../src/features/aggregation.ts";
import type { FeatureValue } from "../../src/features/aggregates/aggregate.ts";
import { entity, featureView } from "../../src/features/define.ts";
import type { EventLog, LogEvent } from "../../src/features/event-log.ts";
import type { HistoryLog } from "../../src/features/history/history-log.ts";
import type { OnlineStore, StateReader } from "../../src/features/online-store.ts";
import { readOnline, type OnlineAnswer } from "../../src/features/read-online.ts";
import { compileDefinitions, type Registry } from "../../src/features/registry.ts";
import type { ServedAnswers } from "../../src/features/served-answers.ts";
import type { StateArchive } from "../../src/features/state-filling.ts";
import type { WaitingLimits } from "../../src/features/waiting-limits.ts";
import { hopping } from "../../src/features/window.ts";
import { createVault, type Vault } from "../../src/governance/vault.ts";
import type { ConsumeContext } from "../../src/ingest/consume.ts";
import type { Delivery } from "../../src/ingest/delivery.ts";
import type { JoinLimits } from "../../src/ingest/join-limits.ts";
import type { IngestMessage } from "../../src/ingest/envelope.ts";
import type { IngestQueue } from "../../src/ingest/ingest-queue.ts";
import type { QuarantineStore } from "../../src/ingest/quarantine-store.ts";
import { oracleValue, type OracleEvent } from "./oracle.ts";
import { corrections, device, oracleFeatures, readings, toLogEvent } from "./views.ts";

/** A second entity of the same source, so that every event touches two. */
export const colour = entity("colour", { key: "colour" });

export const byDevice = featureView("by_device", {
  entity: device,
  source: readings,
  features: {
    n: count().over("1h"),
    total: sum("price").over("7d"),
    average: mean("level").over("1d"),
    most: max("price").where({ on: true }),
    newest: last("price").over("30d"),
    latest: lastN("price", 2),
    spread: varPop("level").over("7d"),
    colours: countDistinct("colour", { max: 2 }).over(hopping("1d", "2h")),
    by_colour: count()
      .by("colour", { keys: ["red"] })
      .over("1d"),
  },
});

export const byColour = featureView("by_colour", {
  entity: colour,
  source: readings,
  features: { ever: count(), total: sum("level").over("7d"), newest: last("device") },
});

/** Another source of the first entity: its states change apart from the first view's. */
export const corrected = featureView("corrected", {
  entity: device,
  source: corrections,
  features: { n: count().over("7d"), newest: last("colour") },
});

export const registry: Registry = compileDefinitions([
  device,
  colour,
  readings,
  corrections,
  byDevice,
  byColour,
  corrected,
]);

export type ViewName = "by_device" | "by_colour" | "corrected";

export const vault: Vault = createVault("a test secret of more than thirty-two bytes");

export interface Ports {
  readonly log: EventLog;
  readonly history: HistoryLog;
  readonly online: OnlineStore;
  readonly archive: StateArchive;
  readonly quarantine: QuarantineStore;
  readonly servedAnswers: ServedAnswers;
  readonly queue: IngestQueue;
  readonly joinLimits?: JoinLimits;
  readonly waitingLimits?: WaitingLimits;
}

/** A consumer's context over the ports, at a fixed clock. */
export function consumerOf(
  ports: Ports,
  now: () => number,
): ConsumeContext & { online: OnlineStore } {
  return {
    ...ports,
    registry,
    vault,
    now,
    random: () => 0,
    sleep: async () => undefined,
    note: () => undefined,
  };
}

/** A delivery that remembers what became of it. */
export interface TestDelivery extends Delivery {
  readonly outcome: () => "open" | "acked" | "retried";
}

export function deliver(body: IngestMessage, id: string, attempts = 1): TestDelivery {
  let outcome: "open" | "acked" | "retried" = "open";
  return {
    id,
    body: structuredClone(body),
    attempts,
    outcome: () => outcome,
    ack: () => void (outcome = "acked"),
    retry: () => void (outcome = "retried"),
  };
}

export const eventsMessage = (events: readonly LogEvent[]): IngestMessage => ({
  v: 1,
  kind: "events",
  events,
  wait: null,
  traceparent: null,
});

/** A reading of a device, as the oracle and as the log have it. */
export interface Reading extends OracleEvent {
  readonly device: string;
  readonly source: "readings" | "corrections";
}

export const logEventOf = (reading: Reading, tenant: string): LogEvent => {
  const event = toLogEvent(reading, reading.device, tenant, reading.source);
  return { ...event, bodyHash: hashOf(event.body) };
};

/** Any 128 bits that differ when the body does. */
export function hashOf(text: string): string {
  let hash = 7n;
  for (const c of text) hash = (hash * 1_000_003n + BigInt(c.codePointAt(0) ?? 0)) % 2n ** 128n;
  return hash.toString(16).padStart(32, "0");
}

/** The online features of one view, read through the public verb. */
export async function readView(
  online: StateReader,
  tenant: string,
  view: ViewName,
  keys: readonly string[],
  now: number,
): Promise<OnlineAnswer> {
  const key = view === "by_colour" ? "colour" : "device";
  return readOnline(
    { registry, online, vault, now: () => now, whenIncomplete: "unavailable" },
    { tenant, features: [view], entities: keys.map((value) => ({ [key]: value })) },
  );
}

/** What the distinct readings say, by the oracle. */
export function expectedValues(
  view: ViewName,
  readingsOfKey: readonly Reading[],
  asOf: number,
): readonly FeatureValue[] {
  const plan = registry.views.get(view);
  if (plan === undefined) throw new Error(`no view ${view}`);
  const own = readingsOfKey.filter(({ source }) => source === plan.source);
  const events = own.map(({ device: of, ...event }) => ({
    ...event,
    fields: { ...event.fields, device: of },
  }));
  return oracleFeatures(plan).map((feature) => oracleValue(feature, events, asOf));
}
