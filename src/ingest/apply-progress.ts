import type { EntityRef, ProjectedVersion } from "../features/event-log.ts";
import type { Applied } from "./apply.ts";
import { refOf, refText } from "./entity-refs.ts";
import type { RoundOutcome } from "./fold-round.ts";

/** How often an entity that was lost is folded again before it is left to a later fold. */
const ROUNDS = 4;
/** Entities that are read at once, after the first round. */
const MAX_AT_ONCE = 500;
/** What became of every entity so far, and whose turn it is. */
export class ApplyProgress {
  readonly #projected = new Map<string, ProjectedVersion>();
  readonly #unfinished = new Map<string, EntityRef>();
  readonly #waiting = new Map<string, EntityRef>();
  readonly #lost = new Map<string, number>();
  readonly #gaveTo = new Map<string, EntityRef[]>();
  projectionError: unknown = null;

  take(outcome: RoundOutcome, projectionError: unknown): void {
    this.projectionError = projectionError;
    for (const { ref, version } of outcome.done) {
      const name = refText(ref);
      this.#unfinished.delete(name);
      if (projectionError === null) this.#projected.set(name, { ...refOf(ref), version });
      else this.#unfinished.set(name, refOf(ref));
    }
    for (const ref of outcome.left) this.#unfinished.set(refText(ref), ref);
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
      for (const ref of entities) this.#wait(ref);
    }
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

  result(): Pick<Applied, "visible" | "unfinished" | "projected" | "gaveTo" | "projectionError"> {
    const visible = [...this.#projected.keys()].filter((name) => !this.#unfinished.has(name));
    return {
      visible: new Set(visible),
      unfinished: [...this.#unfinished.values()],
      projected: [...this.#projected.values()],
      gaveTo: this.#gaveTo,
      projectionError: this.projectionError,
    };
  }
}
