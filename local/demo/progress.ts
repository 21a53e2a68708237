import type { Screen } from "./screen.ts";
import { grouped } from "./words.ts";

export interface Progress {
  /** `done` of the total, so far. */
  readonly at: (done: number) => void;
  readonly end: () => void;
}

const WIDTH = 30;
const FRAME_MS = 80;

/** Pure. `███░░  60 %  3,600 of 6,000 sent` */
export function bar(done: number, total: number, word: string): string {
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const full = Math.floor(share * WIDTH);
  const percent = `${Math.floor(share * 100)} %`.padStart(5);
  return `  ${"█".repeat(full)}${"░".repeat(WIDTH - full)} ${percent}  ${counted(done, total, word)}`;
}

const counted = (done: number, total: number, word: string): string =>
  `${grouped(done)} of ${grouped(total)} ${word}`;

/** A progress bar; on a screen that cannot draw, a line for every quarter. `now` in ms. */
export function startProgress(
  screen: Screen,
  total: number,
  word: string,
  now: () => number = () => performance.now(),
): Progress {
  let drawnAt = Number.NEGATIVE_INFINITY;
  let quarter = 0;
  let last = 0;
  return {
    at(done) {
      last = done;
      if (screen.draw === undefined) {
        const reached = Math.floor((4 * done) / total);
        if (reached > quarter && reached < 4) screen.print(`  ${counted(done, total, word)}`);
        quarter = reached;
      } else if (now() - drawnAt >= FRAME_MS) {
        drawnAt = now();
        screen.draw(bar(done, total, word));
      }
    },
    end() {
      screen.draw?.(bar(last, total, word));
      screen.print(screen.draw === undefined ? `  ${counted(last, total, word)}` : "");
    },
  };
}
