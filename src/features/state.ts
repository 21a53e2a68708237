import { ceilTo } from "../time.ts";
import { ByteReader, ByteWriter, fromBase64, readersOf, toBase64 } from "./bytes.ts";
import type { ViewPlan } from "./plan.ts";
import { LIFETIME_TILE_MS, windowStart, type Window } from "./window.ts";

/**
 * A view's state of one entity. It is a function of the set of events alone, not of their order
 * or of the clock: tiles that no window can reach any more, seen from the newest event, are gone,
 * and partials that none of their own windows can reach are empty.
 *
 *     format · newest · ingested · per level: tiles, then each: start (delta, in tiles) · partials
 */
export interface ViewState {
  /** The newest event time, epoch ms; null where the state is empty. */
  newest: number | null;
  /** The latest ingest time of its events, epoch ms. */
  ingested: number;
  /** Per level of the plan: tile start → partials in the level's order. */
  readonly levels: readonly Map<number, unknown[]>[];
}

/** The head of a state, and a reader that stands at its first level. */
export interface StateHead {
  readonly newest: number | null;
  readonly ingested: number;
  readonly reader: ByteReader;
}

const FORMAT = 1;

export const emptyState = (plan: ViewPlan): ViewState => ({
  newest: null,
  ingested: 0,
  levels: plan.levels.map(() => new Map()),
});

/** Opens packed state bytes (base64). Throws a RangeError where they are not a state. */
export const openState = (bytes: string): StateHead =>
  openHead(unpack(() => new ByteReader(fromBase64(bytes))));

/** Opens many as openState opens one, in less time than one by one. */
export const openStates = (states: readonly string[]): readonly StateHead[] =>
  unpack(() => readersOf(states)).map(openHead);

function openHead(reader: ByteReader): StateHead {
  const format = reader.uint();
  if (format !== FORMAT) throw new RangeError(`state format ${format} is not known`);
  const filled = reader.uint() === 1;
  const newest = reader.int();
  return { newest: filled ? newest : null, ingested: reader.uint(), reader };
}

function unpack<T>(fromText: () => T): T {
  try {
    return fromText();
  } catch (cause) {
    throw new RangeError("a state is not base64", { cause });
  }
}

/** Unpacks a state for folding. */
export function decodeState(plan: ViewPlan, bytes: string): ViewState {
  const { newest, ingested, reader } = openState(bytes);
  const levels = plan.levels.map((level) => {
    const tiles = new Map<number, unknown[]>();
    const aggregates = level.partials.map((at) => partialAt(plan, at));
    let index = 0;
    for (let left = reader.uint(); left > 0; left -= 1) {
      index += reader.int();
      const partials = aggregates.map((aggregate) => aggregate.decode(reader));
      tiles.set(index * level.sizeMs, partials);
    }
    return tiles;
  });
  if (!reader.done) throw new RangeError("a state has bytes left over");
  return { newest, ingested, levels };
}

/** Packs a state; equal states give equal bytes. */
export function encodeState(plan: ViewPlan, state: ViewState): string {
  const writer = new ByteWriter();
  writer.uint(FORMAT);
  writer.uint(state.newest === null ? 0 : 1);
  writer.int(state.newest ?? 0);
  writer.uint(state.ingested);
  for (const [i, level] of plan.levels.entries()) {
    const tiles = state.levels[i] ?? new Map<number, unknown[]>();
    const aggregates = level.partials.map((at) => partialAt(plan, at));
    writer.uint(tiles.size);
    let previous = 0;
    for (const start of [...tiles.keys()].toSorted((a, b) => a - b)) {
      const index = start / level.sizeMs;
      writer.int(index - previous);
      previous = index;
      const partials = tiles.get(start);
      aggregates.forEach((aggregate, j) => aggregate.encode(writer, partials?.[j]));
    }
  }
  return toBase64(writer.finish());
}

/** Pure. The aggregate of a partial of the plan. */
export function partialAt(plan: ViewPlan, at: number) {
  const partial = plan.partials[at];
  if (partial === undefined) throw new RangeError(`view ${plan.name} has no partial ${at}`);
  return partial.aggregate;
}

/** Pure. The first tile start of a size that any read of the windows after `newest` can cover. */
export function keptFrom(sizeMs: number, windows: readonly Window[], newest: number): number {
  if (sizeMs === LIFETIME_TILE_MS) return Number.NEGATIVE_INFINITY;
  let earliest = Number.POSITIVE_INFINITY;
  for (const window of windows) earliest = Math.min(earliest, windowStart(window, newest + 1));
  return ceilTo(earliest, sizeMs);
}
