import { describe, expect, it } from "vitest";
import { applyIndexes } from "../../../cli/apply-indexes.ts";
import { compileDeployment } from "../../../src/deployment.ts";
import { collection, lexicalHashing, workersAi } from "../../../src/retrieval/define.ts";
import { maintainIndexes } from "../../../src/retrieval/maintain.ts";
import { createMemoryDocuments } from "../../support/fakes/memory-document-index.ts";
import { createTestApi } from "../../support/requests.ts";

const embedder = lexicalHashing({ dimensions: 16 });
const HELP = collection("help", { embedder, text: ["body"] });
const NEWER = collection("help", { embedder, text: ["body"], language: "simple" });

/** Applies, and tells what was printed; between two looks something happens. */
async function apply(
  documents: ReturnType<typeof createMemoryDocuments>,
  definitions: readonly (typeof HELP)[],
  between: () => Promise<unknown> = async () => undefined,
) {
  const lines: string[] = [];
  const { collections } = compileDeployment(definitions);
  const done = await applyIndexes({
    collections,
    indexes: documents.indexRegistry,
    local: true,
    print: (line) => void lines.push(line),
    pause: async () => void (await between()),
  });
  return { done, lines };
}

async function withDocuments(count: number) {
  const documents = createMemoryDocuments();
  const api = await createTestApi({ definitions: [HELP], documents });
  const key = await api.key();
  const upserts = Array.from({ length: count }, (_, i) => ({ id: `d${i}`, body: "text" }));
  await api.call("POST /v1/collections/help/documents", { key, json: { upserts } });
  return documents;
}

describe("applying the indexes", () => {
  it("registers those that are new, and says when there is nothing to do", async () => {
    const documents = createMemoryDocuments();
    const other = { ...HELP, name: "other" as const };
    expect(await apply(documents, [HELP])).toEqual({ done: true, lines: ["help has a new index"] });
    expect(await apply(documents, [HELP, other as never])).toEqual({
      done: true,
      lines: ["other has a new index", "1 index unchanged"],
    });
    expect((await apply(documents, [HELP, other as never])).lines).toEqual(["2 indexes unchanged"]);
  });

  it("waits until the Worker has built what changed", async () => {
    const documents = await withDocuments(30);
    const worker = await createTestApi({ definitions: [NEWER], documents, applied: false });
    const { done, lines } = await apply(documents, [NEWER], () => maintainIndexes(worker.ctx()));
    expect(done).toBe(true);
    expect(lines).toEqual([
      "help has a new index, to be built for 30 documents",
      "  0 documents left to be put into their new index",
    ]);
    expect(await documents.indexRegistry.list()).toMatchObject([{ complete: true, waiting: 0 }]);
  });

  it("gives up where the Worker does not get on, and waits again when repeated", async () => {
    const documents = await withDocuments(1);
    const stuck = await apply(documents, [NEWER]);
    expect(stuck.done).toBe(false);
    expect(stuck.lines.at(-1)).toMatch(/^1 document left, and the Worker does not get on/);
    const worker = await createTestApi({ definitions: [NEWER], documents, applied: false });
    const again = await apply(documents, [NEWER], () => maintainIndexes(worker.ctx()));
    expect(again).toMatchObject({ done: true });
  });

  it("names the index as the Worker does, here and deployed", async () => {
    const hosted = collection("help", { embedder: workersAi("@cf/baai/bge-m3"), text: ["body"] });
    const { collections } = compileDeployment([hosted]);
    const ids = new Set<string>();
    for (const local of [true, false]) {
      const { indexRegistry } = createMemoryDocuments();
      const print = (): void => undefined;
      await applyIndexes({ collections, indexes: indexRegistry, local, print });
      for (const { indexId } of await indexRegistry.list()) ids.add(indexId);
    }
    expect(ids.size).toBe(2);
  });
});
