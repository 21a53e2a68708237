import { durationText, numberText } from "./number-text.ts";

export interface ProgressTarget {
  /** Shows a line in place of the one shown before; null where the output is no terminal. */
  readonly draw: ((line: string) => void) | null;
  readonly print: (line: string) => void;
  /** Milliseconds of a clock that is never set. */
  readonly clock: () => number;
}

export interface ProgressStep {
  readonly label: string;
  readonly done: number;
  /** How many there are, as far as that is known. */
  readonly total: number | null;
  /** What is counted: `events`. */
  readonly unit: string;
}

export interface Progress {
  show(step: ProgressStep): void;
  /** Takes the bar off the screen. */
  end(): void;
}

const WIDTH = 24;
const DRAW_MS = 100;
const PRINT_MS = 10_000;

/** Pure. `label ██████░░░░░░ 50 %, 500 of 1,000 events, about 4 s left` */
export function progressText(step: ProgressStep, elapsedMs: number, bar: boolean): string {
  const { label, done, total, unit } = step;
  if (total === null || total === 0) return `${label}: ${numberText(done)} ${unit}`;
  // Events go on coming while it works: there may be more in the end.
  const share = Math.min(1, done / total);
  const filled = Math.round(share * WIDTH);
  const drawn = bar ? ` ${"█".repeat(filled)}${"░".repeat(WIDTH - filled)}` : ":";
  const left = done === 0 || share === 1 ? null : (elapsedMs / share) * (1 - share);
  const rest = left === null ? "" : `, about ${durationText(left / 1_000)} left`;
  const percent = Math.floor(share * 100);
  return `${label}${drawn} ${percent} %, ${numberText(done)} of ${numberText(total)} ${unit}${rest}`;
}

/** Shows how far something is: as a bar on a terminal, as a line now and then elsewhere. */
export function createProgress({ draw, print, clock }: ProgressTarget): Progress {
  let [label, begun, shown] = ["", 0, 0];
  let drawn = false;
  return {
    show(step) {
      const now = clock();
      if (step.label !== label) [label, begun, shown] = [step.label, now, now];
      if (now - shown < (draw === null ? PRINT_MS : DRAW_MS)) return;
      shown = now;
      const text = progressText(step, now - begun, draw !== null);
      if (draw === null) print(`  ${text}`);
      else draw(text);
      drawn = draw !== null;
    },
    end() {
      if (drawn) draw?.("");
      drawn = false;
    },
  };
}
