import type { EntityRef, EntitySnapshot } from "../features/event-log.ts";
import { refOf, refText } from "./entity-refs.ts";

/** Who appended this long ago and has not folded is taken for dead, or drowned in work. */
const ALIVE_MS = 500;
/** How often one looks before one folds whatever the others do. */
const MOST_LOOKS = 4;

interface Contested {
  readonly ref: EntityRef;
  /** The appends that came first, by their times. */
  readonly ahead: ReadonlySet<number>;
  looks: number;
  wasNext: boolean;
}

/**
 * Entities to which other consumers appended just before: one of these folds everything that is
 * pending, so that folding here as well would only make somebody lose. Everybody looks from time to
 * time: whoever finds its own contributions folded is done, and the first one still waiting is next.
 *
 * That only saves work. A fold at any time is safe, and whoever looked a few times folds: for the one
 * ahead may have died, and clocks differ.
 */
export class Turns {
  /** The time of the own append. */
  readonly #since: number;
  /** Entities to which something was appended here. */
  readonly #own = new Set<string>();
  readonly #contested = new Map<string, Contested>();

  constructor(since: number) {
    this.#since = since;
  }

  /** Whether others are to fold the entity; takes it in then. */
  yields(snapshot: EntitySnapshot): boolean {
    const { waitingSince } = snapshot;
    const ahead = new Set(waitingSince.filter((since) => since !== this.#since));
    if (!waitingSince.includes(this.#since)) return false;
    this.#own.add(refText(snapshot));
    if (ahead.size === 0 || !this.#areAlive(waitingSince)) return false;
    this.#contested.set(refText(snapshot), {
      ref: refOf(snapshot),
      ahead,
      looks: 0,
      wasNext: false,
    });
    return true;
  }

  /** Whether somebody else folded what was appended here, and whatever waits is for others to fold. */
  isOver(snapshot: EntitySnapshot): boolean {
    const { pending, waitingSince, hasMore } = snapshot;
    if (hasMore === true) return false;
    if (pending.length === 0) return true;
    const isFolded = this.#own.has(refText(snapshot)) && !waitingSince.includes(this.#since);
    return isFolded && this.#areAlive(waitingSince);
  }

  #areAlive(waitingSince: readonly number[]): boolean {
    return Math.min(...waitingSince) > this.#since - ALIVE_MS;
  }

  /** Those to look at. */
  get open(): readonly EntityRef[] {
    return [...this.#contested.values()].map(({ ref }) => ref);
  }

  /**
   * Takes what a look at the open ones saw, in their order: the times of the appends that still wait.
   * Answers whose turn it is to be folded here, and who was folded by somebody else.
   */
  see(waiting: readonly (readonly number[])[]): {
    readonly next: readonly EntityRef[];
    readonly folded: readonly EntityRef[];
  } {
    const next: EntityRef[] = [];
    const folded: EntityRef[] = [];
    for (const [i, [name, one]] of [...this.#contested].entries()) {
      const times = waiting[i] ?? [];
      one.looks += 1;
      if (!times.includes(this.#since)) folded.push(one.ref);
      else if (this.#isNext(one, times) || one.looks >= MOST_LOOKS) next.push(one.ref);
      else continue;
      this.#contested.delete(name);
    }
    return { next, folded };
  }

  /** Of those behind the same one, the earliest begins; its clock may be fast, so not for long. */
  #isNext(one: Contested, times: readonly number[]): boolean {
    if (times.some((since) => since !== this.#since && one.ahead.has(since))) return false;
    const isNext = one.wasNext || Math.min(...times) === this.#since;
    one.wasNext = true;
    return isNext;
  }
}
