import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runCommand } from "../../../cli/args.ts";

describe("a command that fails", () => {
  it("says what the operating system refused, and throws what is a defect", async () => {
    const told: string[] = [];
    const terminal = { print: () => undefined, tell: (line: string) => void told.push(line) };
    const run = (command: () => Promise<number>) => runCommand(terminal, "x --help", command);
    expect(await run(async () => readFileSync(import.meta.dirname).length)).toBe(1);
    expect(told).toEqual(["EISDIR: illegal operation on a directory, read"]);
    const defect = run(async () => Promise.reject(new TypeError("a defect")));
    await expect(defect).rejects.toThrow(TypeError);
  });
});
