import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DeadLetterArchive } from "../../src/ingest/quarantine-store.ts";
import { createDeadLetters } from "../../src/platform/r2/dead-letters.ts";
import { createMemoryDeadLetters } from "../support/fakes/memory-dead-letters.ts";
import { openMiniflareStores } from "../support/miniflare-stores.ts";

interface OpenedArchive {
  readonly deadLetters: DeadLetterArchive;
  close(): Promise<void>;
}

const archives: readonly (readonly [string, () => Promise<OpenedArchive>])[] = [
  [
    "in memory",
    async () => ({ deadLetters: createMemoryDeadLetters(), close: async () => undefined }),
  ],
  ["in R2", openMiniflareStores],
];

describe.each(archives)("the archive of dead letters %s", (_name, open) => {
  let opened: OpenedArchive;
  beforeAll(async () => void (opened = await open()));
  afterAll(() => opened.close());

  it("gives back what was put, until it is removed", async () => {
    const { deadLetters } = opened;
    await deadLetters.put("letters/b.json", '{"note":"café 🜁 \\u0000"}');
    await deadLetters.put("letters/a.json", "[]");
    await deadLetters.put("letters/a.json", "[1]");
    expect(await deadLetters.list(10)).toEqual(["letters/a.json", "letters/b.json"]);
    expect(await deadLetters.list(1)).toEqual(["letters/a.json"]);
    expect(await deadLetters.get("letters/a.json")).toBe("[1]");
    expect(await deadLetters.get("letters/b.json")).toBe('{"note":"café 🜁 \\u0000"}');
    expect(await deadLetters.get("letters/nobody.json")).toBeNull();

    await deadLetters.remove("letters/a.json");
    await deadLetters.remove("letters/a.json");
    expect(await deadLetters.list(10)).toEqual(["letters/b.json"]);
    expect(await deadLetters.get("letters/a.json")).toBeNull();
  });
});

describe("an archive that does not answer", () => {
  it("says dependency_unavailable, without the bucket's words", async () => {
    const broken = async () => {
      throw new Error("put: letters/secret (10001)");
    };
    const bucket = { put: broken, list: broken, get: broken, delete: broken };
    const archive = createDeadLetters(bucket);
    const calls = [archive.put("k", "v"), archive.list(1), archive.get("k"), archive.remove("k")];
    for (const call of await Promise.allSettled(calls)) {
      expect(call).toMatchObject({
        status: "rejected",
        reason: { code: "dependency_unavailable" },
      });
      expect(JSON.stringify(call)).not.toContain("secret");
    }
  });
});
