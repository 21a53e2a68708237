import { describe, expect, it } from "vitest";
import { spanText, startBar } from "../../../cli/support/rate-bar.ts";

function show(isTerminal: boolean, stepMs: number, total: number | null, done = 0) {
  const shown: string[] = [];
  let clock = 0;
  const screen = {
    tell: (line: string) => void shown.push(`tell ${line}`),
    ...(isTerminal && { draw: (line: string) => void shown.push(`draw ${line}`) }),
  };
  const bar = startBar(screen, { word: "rows", total, done }, () => clock);
  for (let i = 0; i < 4; i += 1) {
    clock += stepMs;
    bar.add(250);
  }
  bar.end();
  return shown;
}

describe("a bar with a rate", () => {
  it("shows the rate and the time left on a terminal", () => {
    const shown = show(true, 1_000, 1_000);
    expect(shown[0]).toBe(
      `draw   ${"█".repeat(7)}${"░".repeat(23)} 25 %  250 of 1,000 rows, 250/s, 3 s left`,
    );
    expect(shown.at(-1)).toBe("tell   1,000 of 1,000 rows, 250/s in 4 s");
  });

  it("writes a line every ten seconds where it cannot draw", () => {
    expect(show(false, 5_000, null)).toEqual([
      "tell   500 rows, 50/s",
      "tell   1,000 rows, 50/s",
      "tell   1,000 rows, 50/s in 20 s",
    ]);
    expect(show(false, 100, null)).toHaveLength(1);
  });

  it("counts what an earlier run did, but not as speed", () => {
    expect(show(true, 1_000, 2_000, 1_000)[0]).toMatch(/1,250 of 2,000 rows, 250\/s, 3 s left$/);
  });

  it("writes lengths of time for people", () => {
    expect([4_000, 200_000, 7_500_000].map(spanText)).toEqual(["4 s", "3 min 20 s", "2 h 5 min"]);
  });
});
