import type { EntityRef, ProjectedVersion } from "../features/event-log.ts";
import type { Read } from "./append-batch.ts";
import type { Applied } from "./apply.ts";
import { refOf, refText } from "./entity-refs.ts";
import type { RoundOutcome } from "./fold-round.ts";
import type { Turns } from "./turns.ts";

/** How often an entity that was lost is folded again before it is left to a later fold. */
const ROUNDS = 4;
/** Entities that are read at once, after the first round. */
const MAX_AT_ONCE = 500;
/** What became of every entity so far, and whose turn it is. */
export class ApplyProgress {
  readonly #projected = new Map<string, ProjectedVersion>();
  readonly #unfinished = new Map<string, EntityRef>();
  readonly #stuck = new Set<string>();
  readonly #waiting = new Map<string, EntityRef>();
  readonly #lost = new Map<string, number>();
  readonly #gaveTo = new Map<string, EntityRef[]>();
  readonly #awaited: Set<string>;
  /** Those to which joins gave pairs. */
  readonly #given = new Set<string>();
  projectionError: unknown = null;

  constructor(awaited: readonly EntityRef[]) {
    this.#awaited = new Set(awaited.map(refText));
  }

  take(outcome: RoundOutcome, projectionError: unknown): void {
    this.projectionError = projectionError;
    for (const { ref, version } of outcome.done) {
      const name = refText(ref);
      this.#unfinished.delete(name);
      if (projectionError === null) this.#projected.set(name, { ...refOf(ref), version });
      else this.#getStuck(refOf(ref));
    }
    for (const ref of outcome.left) this.#getStuck(ref);
    for (const ref of outcome.lost) {
      const times = (this.#lost.get(refText(ref)) ?? 0) + 1;
      this.#lost.set(refText(ref), times);
      this.#unfinished.set(refText(ref), ref);
      if (times < ROUNDS) this.#waiting.set(refText(ref), ref);
    }
    for (const ref of outcome.more) this.#wait(ref);
    for (const { by, entities } of outcome.made) {
      const known = this.#gaveTo.get(refText(by)) ?? [];
      this.#gaveTo.set(refText(by), [...known, ...entities]);
      for (const ref of entities) {
        if (this.#awaited.has(refText(by))) this.#awaited.add(refText(ref));
        this.#given.add(refText(ref));
        this.#wait(ref);
      }
    }
  }

  /** Takes in whose turn it is, and who was folded by somebody else. */
  takeTurns(next: readonly EntityRef[], folded: readonly EntityRef[]): void {
    for (const ref of next) this.#wait(ref);
    for (const ref of folded) if (this.#awaited.has(refText(ref))) this.#wait(ref);
  }

  /**
   * Of entities that were read again, those that are still to be done here: not those of which
   * somebody else folded what was appended here at `since`. That one, or who came later, is at them.
   */
  left(read: Read, turns: Turns): Read {
    const snapshots = read.snapshots.filter((one) => {
      const name = refText(one);
      const isNothing = one.pending.length === 0 && one.hasMore !== true;
      const isOthers = this.#given.has(name) ? isNothing : turns.isOver(one);
      if (isOthers && !this.#awaited.has(name)) this.#unfinished.delete(name);
      return !isOthers || this.#awaited.has(name);
    });
    return { ...read, snapshots };
  }

  #getStuck(ref: EntityRef): void {
    this.#unfinished.set(refText(ref), ref);
    this.#stuck.add(refText(ref));
  }

  #wait(ref: EntityRef): void {
    this.#unfinished.set(refText(ref), ref);
    this.#waiting.set(refText(ref), ref);
  }

  /** Those to be read and folded now. */
  next(): readonly EntityRef[] {
    const next = [...this.#waiting].slice(0, MAX_AT_ONCE);
    for (const [name] of next) this.#waiting.delete(name);
    return next.map(([, ref]) => ref);
  }

  result(): Omit<Applied, "touchedBy" | "figures"> {
    const visible = [...this.#projected.keys()].filter((name) => !this.#unfinished.has(name));
    return {
      visible: new Set(visible),
      unfinished: [...this.#unfinished.values()],
      stuck: this.#stuck,
      projected: [...this.#projected.values()],
      gaveTo: this.#gaveTo,
      projectionError: this.projectionError,
    };
  }
}
