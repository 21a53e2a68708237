import { answerFrom, planRead, type ViewAnswer } from "../../src/features/assemble.ts";
import { stateOfHistory } from "../../src/features/build-view.ts";
import type { EntitySnapshot } from "../../src/features/event-log.ts";
import type { FoldedEvent, HistoryLog } from "../../src/features/history/history-log.ts";
import type { ViewPlan } from "../../src/features/plan.ts";
import { openState } from "../../src/features/state.ts";
import { foldEntity, type Fold } from "../../src/ingest/fold.ts";
import { finishFold, isOpen } from "../../src/ingest/open-fold.ts";
import type { RowEvent } from "./changed-rows.ts";
import { logPage } from "./fakes/memory-history-log.ts";

/** A row's event with its place in an entity's log. */
export interface FoldedRow extends RowEvent {
  readonly version: number;
}

export const foldedRow = ({ event, version, knownAt }: FoldedRow, slice = 0): FoldedEvent => {
  const { source, eventTime, orderKey, sign, body } = event;
  return { slice, version, knownAt, source, eventTime, orderKey, sign, body };
};

/** A history log of lists, which counts how often it is read. */
export function listHistory(
  logs: ReadonlyMap<string, readonly FoldedRow[]>,
): HistoryLog & { readonly reads: { count: number } } {
  const reads = { count: 0 };
  return {
    reads,
    readHeads: async (_tenant, _entity, keys) =>
      keys.map((key) => ({ version: logs.get(key)?.length ?? 0, erased: false })),
    async readEvents(_tenant, _entity, slices, { sources, from, before }, bytes) {
      reads.count += 1;
      const all = slices.flatMap(({ key, after, upTo }, slice) =>
        (logs.get(key) ?? [])
          .filter(({ version }) => version > after && version <= upTo)
          .map((one) => foldedRow(one, slice))
          .filter(({ eventTime: time }) => time >= from && time < before)
          .filter(({ source }) => sources.includes(source))
          .toSorted((a, b) => b.version - a.version),
      );
      return logPage(slices, all, bytes);
    },
  };
}

/** An entity of one view, whose events are folded batch by batch and read from its own log. */
export class FoldedEntity {
  readonly log: FoldedRow[] = [];
  bytes: string | null = null;
  /** How often the log was read. */
  reads = 0;
  readonly #plan: ViewPlan;
  readonly #key: string;

  constructor(plan: ViewPlan, key: string) {
    this.#plan = plan;
    this.#key = key;
  }

  /** What the state would be if it were built from the log. */
  get built(): string {
    const events = this.log.map(({ event }) => event);
    return stateOfHistory(this.#plan, { ...this.#ref, version: events.length, events });
  }

  get #ref() {
    return { tenant: "t", entity: "device", key: this.#key };
  }

  /** Begins with a log in whatever order, and the state that is built from it. */
  load(events: readonly RowEvent[]): void {
    this.log.push(...events.map((one, i) => ({ ...one, version: i + 1 })));
    if (events.length > 0) this.bytes = this.built;
  }

  async fold(batch: readonly RowEvent[]): Promise<Fold> {
    const { stateId } = this.#plan;
    const snapshot: EntitySnapshot = {
      ...this.#ref,
      version: this.log.length,
      builds: 0,
      states: new Map(this.bytes === null ? [] : [[stateId, this.bytes]]),
      pending: batch.map(({ event }) => event),
      waitingSince: [],
      erased: false,
    };
    const open = foldEntity([this.#plan], snapshot, new Set([stateId]));
    const history = listHistory(new Map([[this.#key, this.log]]));
    const fold = isOpen(open) ? await finishFold(history, snapshot, open) : open;
    this.reads += history.reads.count;
    for (const { eventId } of fold.commit.folded) {
      const one = batch.find(({ event }) => event.eventId === eventId) as RowEvent;
      this.log.push({ ...one, version: this.log.length + 1 });
    }
    this.bytes = fold.commit.states[0]?.bytes ?? this.bytes;
    return fold;
  }

  /** The answer of the state at an instant. */
  answer(asOf: number): ViewAnswer {
    return answerFrom(planRead(this.#plan, asOf), openState(this.bytes ?? ""));
  }
}
