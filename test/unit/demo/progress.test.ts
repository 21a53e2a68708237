import { describe, expect, it } from "vitest";
import { startProgress } from "../../../local/demo/progress.ts";

function show(isTerminal: boolean, stepMs: number): readonly string[] {
  const shown: string[] = [];
  let clock = 0;
  const screen = {
    print: (line: string) => void shown.push(`print ${line}`),
    ...(isTerminal && { draw: (line: string) => void shown.push(`draw ${line}`) }),
  };
  const progress = startProgress(screen, 1_000, "sent", () => clock);
  for (const done of [0, 200, 400, 500, 900, 1_000]) {
    progress.at(done);
    clock += stepMs;
  }
  progress.end();
  return shown;
}

describe("startProgress", () => {
  it("draws a bar on a terminal and leaves it full", () => {
    const shown = show(true, 100);
    expect(shown[1]).toBe(`draw   ${"█".repeat(6)}${"░".repeat(24)}  20 %  200 of 1,000 sent`);
    expect(shown.slice(-2)).toEqual([
      `draw   ${"█".repeat(30)} 100 %  1,000 of 1,000 sent`,
      "print ",
    ]);
  });

  it("draws at most a dozen times a second", () => {
    expect(show(true, 1)).toHaveLength(3);
  });

  it("prints a line for each quarter where it cannot draw", () => {
    expect(show(false, 100)).toEqual([
      "print   400 of 1,000 sent",
      "print   500 of 1,000 sent",
      "print   900 of 1,000 sent",
      "print   1,000 of 1,000 sent",
    ]);
  });
});
