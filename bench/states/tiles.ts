import { planRead } from "../../src/features/assemble.ts";
import type { ViewPlan } from "../../src/features/plan.ts";
import { decodeState } from "../../src/features/state.ts";
import { tileStart } from "../../src/features/window.ts";

/** A tile by its size and start. */
export interface TileKey {
  readonly sizeMs: number;
  readonly start: number;
}

/** A tile that a state holds, with its partials in the order of the level. */
export interface HeldTile extends TileKey {
  readonly level: number;
  readonly partials: readonly unknown[];
}

export const nameOf = ({ sizeMs, start }: TileKey): string => `${sizeMs}:${start}`;

/** Pure. The tiles of a packed state. */
export const heldTiles = (plan: ViewPlan, bytes: string): readonly HeldTile[] =>
  decodeState(plan, bytes).levels.flatMap((tiles, level) =>
    [...tiles].map(([start, partials]) => ({
      sizeMs: plan.levels[level]?.sizeMs ?? 0,
      start,
      level,
      partials,
    })),
  );

/** Pure. The tiles that a read at an instant looks at, were each of them kept: each one once. */
export function coveredTiles(plan: ViewPlan, asOf: number): readonly TileKey[] {
  const covered = new Map<string, TileKey>();
  for (const { sizeMs, partials } of planRead(plan, asOf).levels) {
    for (const { from, to } of partials.flatMap(({ uses }) => uses)) {
      const last = Math.min(to - 1, asOf - 1);
      const first = Number.isFinite(from) ? from : tileStart(sizeMs, last);
      for (let start = first; start <= last; start += sizeMs) {
        covered.set(nameOf({ sizeMs, start }), { sizeMs, start });
      }
    }
  }
  return [...covered.values()];
}
