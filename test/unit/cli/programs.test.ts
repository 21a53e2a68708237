import { exec, execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const run = (command: string, ...args: readonly string[]) =>
  promisify(execFile)(process.execPath, [
    join(import.meta.dirname, `../../../cli/${command}.ts`),
    ...args,
  ]);

/** Runs a command through the shell, which reads nothing of what it prints. */
const piped = (command: string) =>
  promisify(exec)(
    `"${process.execPath}" ${join(import.meta.dirname, `../../../cli/${command}.ts`)} --help | true`,
  );

describe("commands as programs", () => {
  it("end quietly where nobody reads what they print", async () => {
    expect(await piped("plan")).toEqual({ stdout: "", stderr: "" });
  });

  it.each([
    ["plan", /changes nothing/],
    ["apply", /Two at once do no harm/],
    ["audit-skew", /must give the same values/],
    ["rebuild", /after a restore before anything\nelse/],
  ])("%s explains itself, and takes nothing that it does not know", async (command, text) => {
    const [explained, refused] = await Promise.all([
      run(command, "--help"),
      run(command, "everything").catch((error: unknown) => error),
    ]);
    expect(explained.stdout).toMatch(text);
    expect(refused).toMatchObject({ code: 2, stdout: "" });
    const { stderr } = refused as { readonly stderr: string };
    expect(stderr).toMatch(`${command} takes no "everything"\nSee: npm run ${command} -- --help`);
  });
});
