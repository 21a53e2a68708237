import type { DirtyTiles } from "./change-state.ts";
import type { Observations } from "./fold-view.ts";
import type { ViewPlan } from "./plan.ts";
import { partialAt, type ViewState } from "./state.ts";
import { tileStart } from "./window.ts";

/** A partial, added up by chunks of the log. */
interface Recount {
  /** Position among the plan's partials. */
  readonly at: number;
  readonly chunks: Map<number, unknown>;
  /** Chunks that have changed; null before the first time: all. */
  stale: Set<number> | null;
  /** How many events it was given. */
  given: number;
}

/** Per level of the plan, tile start → position in the level. */
type OfTiles<T> = readonly Map<number, Map<number, T>>[];

/** Dirty partials while they are added up anew. */
export interface OpenRecount {
  /** Whether an event that counts is to be given. */
  wants(time: number, version: number): boolean;
  add(time: number, version: number, observations: Observations): void;
  /** Puts what was added up in its places. */
  end(state: ViewState): void;
}

/**
 * Partials that do not tell what they are without what was taken back. They are added up anew chunk
 * by chunk of the entity's log, and the chunks are kept: where it happens to a partial again, only
 * chunks that changed are read again.
 */
export class Recounts {
  readonly #plan: ViewPlan;
  readonly #chunkVersions: number;
  readonly #known: OfTiles<Recount>;

  constructor(plan: ViewPlan, chunkVersions: number) {
    this.#plan = plan;
    this.#chunkVersions = chunkVersions;
    this.#known = plan.levels.map(() => new Map());
  }

  /** To be told of every event that comes to count, or is taken back. */
  touch(time: number, version: number): void {
    const chunk = this.#chunkOf(version);
    for (const [i, { sizeMs }] of this.#plan.levels.entries()) {
      const tile = this.#known[i]?.get(tileStart(sizeMs, time));
      for (const { stale } of tile?.values() ?? []) stale?.add(chunk);
    }
  }

  begin(dirty: DirtyTiles): OpenRecount {
    const plan = this.#plan;
    const open = dirty.map((tiles, i) => {
      const starts = [...tiles].map(([start, marked]) => {
        const positions = [...marked].map((j) => [j, this.#recount(i, start, j)] as const);
        return [start, new Map(positions)] as const;
      });
      return new Map(starts);
    });
    /** Those that want events of a chunk at a time; of millions of events, most are of none. */
    function* wanting(time: number, chunk: number): Generator<Recount> {
      for (const [i, { sizeMs }] of plan.levels.entries()) {
        const tile = open[i]?.get(tileStart(sizeMs, time));
        for (const one of tile?.values() ?? []) if (one.stale?.has(chunk) !== false) yield one;
      }
    }
    return {
      wants: (time, version) => wanting(time, this.#chunkOf(version)).next().done !== true,
      add: (time, version, observations) => {
        const chunk = this.#chunkOf(version);
        for (const recount of wanting(time, chunk)) {
          const { at, chunks } = recount;
          const [aggregate, seen] = [partialAt(plan, at), observations[at] ?? null];
          recount.given += 1;
          if (seen === null) continue;
          chunks.set(chunk, aggregate.add(chunks.get(chunk) ?? aggregate.empty(), seen));
        }
      },
      end: (state) => {
        for (const [i, tiles] of open.entries()) {
          for (const [start, recounts] of tiles) {
            const held = state.levels[i]?.get(start);
            for (const [j, recount] of recounts) {
              if (held !== undefined) held[j] = merged(plan, recount);
              recount.stale = new Set();
              // To read all of a few events again costs no more than to read a chunk.
              if (recount.given <= this.#chunkVersions) this.#known[i]?.get(start)?.delete(j);
            }
          }
        }
      },
    };
  }

  #chunkOf(version: number): number {
    return Math.floor(version / this.#chunkVersions);
  }

  /** The recount of a partial, without the chunks that have changed. */
  #recount(level: number, start: number, position: number): Recount {
    const tiles = this.#known[level] as Map<number, Map<number, Recount>>;
    const tile = tiles.get(start) ?? new Map<number, Recount>();
    tiles.set(start, tile);
    const at = this.#plan.levels[level]?.partials[position] as number;
    const recount = tile.get(position) ?? { at, chunks: new Map(), stale: null, given: 0 };
    tile.set(position, recount);
    for (const chunk of recount.stale ?? []) recount.chunks.delete(chunk);
    return recount;
  }
}

function merged(plan: ViewPlan, { at, chunks }: Recount): unknown {
  const aggregate = partialAt(plan, at);
  let partial = aggregate.empty();
  for (const chunk of chunks.values()) partial = aggregate.merge(partial, chunk);
  return partial;
}
