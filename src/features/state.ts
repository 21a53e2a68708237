import { ceilTo } from "../time.ts";
import { ByteReader, ByteWriter, fromBase64, readersOf, toBase64 } from "./bytes.ts";
import type { LevelPlan, ViewPlan } from "./plan.ts";
import { LIFETIME_TILE_MS, windowStart, type Window } from "./window.ts";

/**
 * A view's state of one entity. It is a function of the set of events alone, not of their order
 * or of the clock: tiles that no window can reach any more, seen from the horizon, are gone, and
 * partials that none of their own windows can reach are empty. What was taken back leaves no trace
 * but the horizon, so that taking back never needs a tile that is gone.
 *
 *     format · newest · ingested · horizon (format 2) · per level: tiles, then each: start · partials
 */
export interface ViewState {
  /**
   * The newest event time, epoch ms; null where the state is empty. Where events may be taken back,
   * that of what is left, if the view has a maxAge: or, where that is older, the horizon − maxAge.
   */
  newest: number | null;
  /** The newest event time of all that was ever added, taken back or not; null as `newest` is. */
  horizon: number | null;
  /** The latest ingest time of its events, epoch ms. */
  ingested: number;
  /** Per level of the plan: tile start → partials in the level's order. */
  readonly levels: readonly Map<number, unknown[]>[];
}

/** The head of a state, and a reader that stands at its first level. */
export interface StateHead {
  readonly newest: number | null;
  readonly horizon: number | null;
  readonly ingested: number;
  readonly reader: ByteReader;
}

/** Where the horizon is the newest event time, and where it is written beside. */
const FORMAT = 1;
const FORMAT_WITH_HORIZON = 2;

export const emptyState = (plan: ViewPlan): ViewState => ({
  newest: null,
  horizon: null,
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
  if (format !== FORMAT && format !== FORMAT_WITH_HORIZON) {
    throw new RangeError(`state format ${format} is not known`);
  }
  const filled = reader.uint() === 1;
  const newest = reader.int();
  const ingested = reader.uint();
  const horizon = format === FORMAT ? newest : newest + reader.uint();
  return { newest: filled ? newest : null, horizon: filled ? horizon : null, ingested, reader };
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
  const { newest, horizon, ingested, reader } = openState(bytes);
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
  return { newest, horizon, ingested, levels };
}

/**
 * Packs a state; equal states give equal bytes. Where events may be taken back, tiles of which all
 * partials are empty are left out.
 */
export function encodeState(plan: ViewPlan, state: ViewState): string {
  const { newest, horizon, ingested } = state;
  const writer = new ByteWriter();
  writer.uint(horizon === newest ? FORMAT : FORMAT_WITH_HORIZON);
  writer.uint(newest === null ? 0 : 1);
  writer.int(newest ?? 0);
  writer.uint(ingested);
  if (horizon !== newest) writer.uint((horizon ?? 0) - (newest ?? 0));
  for (const [i, level] of plan.levels.entries()) {
    const tiles = state.levels[i] ?? new Map<number, unknown[]>();
    if (!plan.isSigned) writer.uint(tiles.size);
    const own = plan.isSigned ? new ByteWriter() : writer;
    const written = packTiles(plan, level, tiles, own);
    if (!plan.isSigned) continue;
    writer.uint(written);
    writer.raw(own.view());
  }
  return toBase64(writer.finish());
}

/** Answers how many tiles it packed. */
function packTiles(
  plan: ViewPlan,
  { sizeMs, partials }: LevelPlan,
  tiles: ReadonlyMap<number, unknown[]>,
  writer: ByteWriter,
): number {
  const aggregates = partials.map((at) => partialAt(plan, at));
  let [previous, packed] = [0, 0];
  for (const start of [...tiles.keys()].toSorted((a, b) => a - b)) {
    const index = start / sizeMs;
    const before = writer.length;
    writer.int(index - previous);
    const begin = writer.length;
    const held = tiles.get(start);
    aggregates.forEach((aggregate, j) => aggregate.encode(writer, held?.[j]));
    // An empty partial is one byte, 0, and no other begins with one.
    if (
      plan.isSigned &&
      writer
        .view()
        .subarray(begin)
        .every((byte) => byte === 0)
    ) {
      writer.rewind(before);
      continue;
    }
    previous = index;
    packed += 1;
  }
  return packed;
}

/** Pure. The aggregate of a partial of the plan. */
export function partialAt(plan: ViewPlan, at: number) {
  const partial = plan.partials[at];
  if (partial === undefined) throw new RangeError(`view ${plan.name} has no partial ${at}`);
  return partial.aggregate;
}

/** Pure. The first tile start of a size that any read of the windows after `horizon` can cover. */
export function keptFrom(sizeMs: number, windows: readonly Window[], horizon: number): number {
  if (sizeMs === LIFETIME_TILE_MS) return Number.NEGATIVE_INFINITY;
  let earliest = Number.POSITIVE_INFINITY;
  for (const window of windows) earliest = Math.min(earliest, windowStart(window, horizon + 1));
  return ceilTo(earliest, sizeMs);
}
