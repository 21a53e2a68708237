import type {
  EntityRef,
  EntitySnapshot,
  EventLog,
  EventRef,
  LogEvent,
} from "../features/event-log.ts";
import type { Registry } from "../features/registry.ts";
import { idText, refOf, refText } from "./entity-refs.ts";
import type { MetWait } from "./envelope.ts";
import type { JoinContext } from "./fit-pairs.ts";
import { givenBy } from "./given-by.ts";

/** Pure. Where an event meets others, of the entities that it touches. */
export const metWaits = (
  { joinsByEntity }: Registry,
  { source, eventId }: LogEvent,
  touched: readonly EntityRef[],
): readonly MetWait[] =>
  touched
    .filter(({ entity }) => joinsByEntity.has(entity))
    .map((at) => ({ source, eventId, at: refOf(at) }));

type Context = JoinContext & {
  readonly registry: Registry;
  readonly log: Pick<EventLog, "readLogged">;
};

/** Those whose pairs are awaited although somebody else made them: who folds an event knows its own. */
export class AwaitedPairs {
  /** By entity. */
  readonly #events = new Map<string, EventRef[]>();

  constructor(waits: readonly MetWait[]) {
    for (const { at, source, eventId } of waits) {
      const events = this.#events.get(refText(at)) ?? [];
      this.#events.set(refText(at), [...events, { source, eventId }]);
    }
  }

  /**
   * Of entities where sources meet: to whom the pairs went of awaited events that are folded by now.
   * Each event is looked up once. Throws AppError `dependency_unavailable`.
   */
  async find(
    ctx: Context,
    snapshots: readonly EntitySnapshot[],
  ): Promise<readonly { readonly by: EntityRef; readonly entities: readonly EntityRef[] }[]> {
    const found = [];
    for (const snapshot of snapshots) {
      const join = ctx.registry.joinsByEntity.get(snapshot.entity);
      const folded = join === undefined ? [] : this.#takeFolded(snapshot);
      if (join === undefined || folded.length === 0) continue;
      const events = await ctx.log.readLogged(snapshot.tenant, folded);
      found.push({ by: refOf(snapshot), entities: await givenBy(ctx, join, snapshot, events) });
    }
    return found;
  }

  #takeFolded(snapshot: EntitySnapshot): readonly EventRef[] {
    const { tenant, pending } = snapshot;
    const awaited = this.#events.get(refText(snapshot)) ?? [];
    if (awaited.length === 0) return [];
    // Where not all that is pending was read, who knows: it is read again.
    if (snapshot.hasMore === true) return [];
    const open = new Set(pending.map(idText));
    const isOpen = (event: EventRef): boolean => open.has(idText({ tenant, ...event }));
    this.#events.set(refText(snapshot), awaited.filter(isOpen));
    return awaited.filter((event) => !isOpen(event));
  }
}
