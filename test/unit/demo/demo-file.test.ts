import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readDemo, writeDemo } from "../../../local/demo/demo-file.ts";
import { generatePayments } from "../../../local/demo/payments.ts";
import { StartupError } from "../../../local/startup-error.ts";

let dataDir: string;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "demo-file-"));
});

afterEach(() => {
  rmSync(dataDir, { recursive: true });
});

describe("the file of the example", () => {
  it("is not there at first", async () => {
    expect(await readDemo(dataDir)).toBeNull();
  });

  it("is read as it was written, and nothing lies beside it", async () => {
    const { payments } = generatePayments({ seed: "file", now: 1_795_324_745_202, payments: 300 });
    const demo = {
      seed: "file",
      now: 1_795_324_745_202,
      payments: 300,
      later: payments.slice(0, 2),
    };
    await writeDemo(dataDir, demo);
    expect(await readDemo(dataDir)).toEqual(demo);
    expect(readdirSync(dataDir)).toEqual(["demo.json"]);
  });

  it.each(["", "{", "{}", '{"seed":"a","now":"today","payments":1,"later":[]}'])(
    "is called damaged when it holds %j",
    async (text) => {
      writeFileSync(join(dataDir, "demo.json"), text);
      await expect(readDemo(dataDir)).rejects.toThrow(StartupError);
    },
  );
});
