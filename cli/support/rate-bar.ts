import { numberText } from "./number-text.ts";

/** Where progress is shown. */
export interface ProgressScreen {
  readonly tell: (line: string) => void;
  /** Shows a line in place of the one drawn before; absent where the output is no terminal. */
  readonly draw?: ((line: string) => void) | undefined;
}

export interface ProgressBar {
  /** So many more are done. */
  readonly add: (count: number) => void;
  readonly end: () => void;
}

const WIDTH = 30;
const FRAME_MS = 100;
/** How often a line is written where nothing can be drawn. */
const LINE_MS = 10_000;

/** Pure. A length of time for people: "4 s", "3 min 20 s", "2 h 5 min". */
export function spanText(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export interface BarOptions {
  /** What is counted. */
  readonly word: string;
  /** Null where nobody knows it yet. */
  readonly total: number | null;
  /** Done by an earlier run: says nothing of the rate. */
  readonly done?: number;
  /** What else is to be said of what was done. */
  readonly beside?: () => string;
}

/** A bar with rate and time left; where nothing can be drawn, a line every ten seconds. */
export function startBar(
  screen: ProgressScreen,
  { word, total, done: before = 0, beside = () => "" }: BarOptions,
  now: () => number = () => performance.now(),
): ProgressBar {
  const began = now();
  let done = before;
  let shownAt = began;
  const text = (): string => {
    const ms = now() - began;
    const rate = ms > 0 ? ((done - before) / ms) * 1_000 : 0;
    const of = total === null ? numberText(done) : `${numberText(done)} of ${numberText(total)}`;
    const left = total !== null && rate > 0 && done < total;
    const eta = left ? `, ${spanText(((total - done) / rate) * 1_000)} left` : "";
    return `${of} ${word}${beside()}, ${numberText(Math.round(rate))}/s${eta}`;
  };
  const barred = (): string => {
    if (total === null) return `  ${text()}`;
    const share = total === 0 ? 1 : Math.min(1, done / total);
    const full = Math.floor(share * WIDTH);
    return `  ${"█".repeat(full)}${"░".repeat(WIDTH - full)} ${Math.floor(share * 100)} %  ${text()}`;
  };
  return {
    add(count) {
      done += count;
      const due = screen.draw === undefined ? LINE_MS : FRAME_MS;
      if (now() - shownAt < due) return;
      shownAt = now();
      if (screen.draw === undefined) screen.tell(`  ${text()}`);
      else screen.draw(barred());
    },
    end() {
      screen.draw?.("");
      screen.tell(`  ${text()} in ${spanText(now() - began)}`);
    },
  };
}
