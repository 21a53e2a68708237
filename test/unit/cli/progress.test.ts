import { describe, expect, it } from "vitest";
import { createProgress, progressText } from "../../../cli/support/progress.ts";

const step = (done: number, total: number | null, label = "spend version 2") => ({
  label,
  done,
  total,
  unit: "events",
});

function target(terminal: boolean) {
  const clock = { now: 0 };
  const [drawn, printed]: [string[], string[]] = [[], []];
  const progress = createProgress({
    draw: terminal ? (line) => void drawn.push(line) : null,
    print: (line) => void printed.push(line),
    clock: () => clock.now,
  });
  return { progress, clock, drawn, printed };
}

describe("progress", () => {
  it("says how much is done, and about how long the rest takes", () => {
    expect(progressText(step(250, 1_000), 10_000, true)).toBe(
      `spend version 2 ${"█".repeat(6)}${"░".repeat(18)} 25 %, 250 of 1,000 events, about 30 s left`,
    );
    expect(progressText(step(0, 1_000), 10_000, false)).toBe(
      "spend version 2: 0 %, 0 of 1,000 events",
    );
    // Events came meanwhile.
    expect(progressText(step(1_200, 1_000), 10_000, false)).toBe(
      "spend version 2: 100 %, 1,200 of 1,000 events",
    );
    expect(progressText(step(12, null), 10_000, false)).toBe("spend version 2: 12 events");
  });

  it("draws a bar on a terminal, often, and takes it away", () => {
    const { progress, clock, drawn, printed } = target(true);
    for (const [at, done] of [
      [0, 1],
      [50, 2],
      [120, 3],
      [130, 4],
      [300, 5],
    ] as const) {
      clock.now = at;
      progress.show(step(done, 10));
    }
    progress.end();
    progress.end();
    expect(drawn.map((line) => / (\d+) of/.exec(line)?.[1] ?? line)).toEqual(["3", "5", ""]);
    expect(printed).toEqual([]);
  });

  it("prints a line now and then elsewhere, each step from its own beginning", () => {
    const { progress, clock, printed, drawn } = target(false);
    for (const [at, done] of [
      [0, 0],
      [9_000, 2],
      [10_000, 4],
      [12_000, 5],
      [20_000, 8],
    ] as const) {
      clock.now = at;
      progress.show(step(done, 10));
    }
    clock.now = 21_000;
    progress.show(step(1, 10, "other"));
    clock.now = 31_000;
    progress.show(step(5, 10, "other"));
    progress.end();
    expect(printed).toEqual([
      "  spend version 2: 40 %, 4 of 10 events, about 15 s left",
      "  spend version 2: 80 %, 8 of 10 events, about 5 s left",
      "  other: 50 %, 5 of 10 events, about 10 s left",
    ]);
    expect(drawn).toEqual([]);
  });
});
