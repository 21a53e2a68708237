import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AppError } from "../../src/errors.ts";
import type { DocumentIndex, IndexRef } from "../../src/retrieval/document-index.ts";
import { DIRECTIONS, QUERIES } from "../support/any-documents.ts";
import {
  find,
  newIndex,
  put,
  query,
  remove,
  wantedOf,
  write,
  type TestDocument,
} from "../support/document-calls.ts";
import { inAnyOrder, seededRandom } from "../support/random.ts";
import { unsoundness } from "../support/search-audit.ts";
import { openMemoryTruth, truths, type SqlTruth, type Truth } from "../support/stores.ts";

/** The embedded Postgres runs one transaction at a time; a server runs these at once. */
const WRITERS = 6;
const IDS = ["a", "b", "c", "d", "e", "f"];
const WORDS = ["red", "blue", "fish", "bird", "one", "two", "\u9bae\u5ea6"];

/** What `put` made a body of. */
function documentIn(body: string): TestDocument {
  const { chunks, n } = JSON.parse(body) as {
    readonly chunks: TestDocument["chunks"];
    readonly n: number;
  };
  return { chunks, fields: { n } };
}

describe.each(truths())("writers at once %s", (_name, open) => {
  let truth: Truth;
  let documents: DocumentIndex;
  let random: () => number;
  beforeAll(async () => {
    truth = await open();
    documents = truth.documentIndex;
  });
  beforeEach(() => void (random = seededRandom()));
  afterAll(() => truth.close());

  const below = (limit: number): number => Math.floor(random() * limit);
  const some = <T>(items: readonly T[], count: number): readonly T[] =>
    inAnyOrder(items, random).slice(0, count);

  function randomDocument(): TestDocument {
    const texts = Array.from({ length: below(4) }, () => some(WORDS, 1 + below(6)).join(" "));
    const chunks = [...new Set(texts)].map((text) => ({
      text,
      vector: DIRECTIONS[below(DIRECTIONS.length)] ?? null,
    }));
    return { chunks, fields: { n: below(3) } };
  }

  const sqlTruth = (): SqlTruth | null => ("faults" in truth ? (truth as SqlTruth) : null);

  /** What is counted wrongly; in memory nothing is counted. */
  const unsound = async ({ tenant }: IndexRef): Promise<readonly string[]> => {
    const sql = sqlTruth();
    return sql === null ? [] : unsoundness(sql, tenant);
  };

  const atOnce = (work: (writer: number) => Promise<unknown>): Promise<unknown> =>
    Promise.all(Array.from({ length: WRITERS }, (_, writer) => work(writer)));

  async function writeSome(index: IndexRef): Promise<void> {
    const changes = some(IDS, 1 + below(4)).map(
      (id) => [id, random() < 0.3 ? null : randomDocument()] as const,
    );
    await write(documents, index, Object.fromEntries(changes));
  }

  /** The present documents, put into an index of their own, are found alike. */
  async function expectSound(index: IndexRef): Promise<void> {
    expect(await unsound(index)).toEqual([]);
    const anew = openMemoryTruth().documentIndex;
    for (const id of IDS) {
      const stored = await documents.read(index, id, 1);
      const head = (await documents.readHeads(index, [id])).get(id);
      expect(head?.version).toBe(stored?.version);
      if (stored === null || head?.indexId !== index.indexId) continue;
      await write(anew, index, { [id]: documentIn(stored.body) });
    }
    for (const word of WORDS) {
      const wanted = query({ words: `${word} fish`, vector: QUERIES[1] ?? null });
      const [{ hits }, expected] = [
        await documents.search(index, wanted),
        await anew.search(index, wanted),
      ];
      expect(hits).toHaveLength(expected.hits.length);
      for (const [i, { score }] of hits.entries()) {
        expect(score).toBeCloseTo(expected.hits[i]?.score ?? Number.NaN, 2);
      }
    }
  }

  it("leave what one of them alone would have left, each commit in one request", async () => {
    const index = newIndex();
    await write(documents, index, { a: randomDocument() });
    const rounds = 6;
    const before = truth.requests();
    await atOnce(async () => {
      for (let round = 0; round < rounds; round += 1) await writeSome(index);
    });
    // A deadlock would be one request more.
    expect(truth.requests()).toBe(before === null ? null : before + WRITERS * rounds * 2);
    await expectSound(index);
  });

  it("let one of them win a document, whether they put it or delete it", async () => {
    const index = newIndex();
    const [version = 0] = await write(documents, index, { a: { chunks: ["old"] } });
    const expected = version ?? 0;
    const won: (number | null)[] = [];
    await atOnce(async (writer) => {
      const one =
        writer % 2 === 0 ? remove("a", expected) : put("a", { chunks: [`new${writer}`], expected });
      const fresh = put("b", { chunks: [`new${writer}`] });
      won.push(...(await documents.commit(index, writer < 3 ? [one, fresh] : [fresh, one], 1)));
    });
    expect(won.filter((one) => one !== null)).toHaveLength(2);
    await expectSound(index);
  });

  it("leave no half of a document when requests or answers are lost", async () => {
    const index = newIndex();
    await atOnce(async (writer) => {
      for (let round = 0; round < 6; round += 1) {
        const fate = (["drop", "lose", "error"] as const)[below(3)] ?? "drop";
        if (writer < 3) sqlTruth()?.faults.push(fate);
        await writeSome(index).catch((error: unknown) => {
          if (!(error instanceof AppError) || error.code !== "dependency_unavailable") throw error;
        });
      }
    });
    sqlTruth()?.faults.splice(0);
    await expectSound(index);
  });

  it("write into two indexes of one collection without losing count in either", async () => {
    const index = newIndex();
    const next = newIndex({ tenant: index.tenant, collection: index.collection });
    await atOnce(async (writer) => {
      for (let round = 0; round < 6; round += 1) await writeSome(writer % 2 === 0 ? index : next);
    });
    for (const { id, body } of await documents.findStale(next.collection, next.indexId, 99)) {
      await write(documents, next, { [id]: documentIn(body) });
    }
    await expectSound(next);
  });

  it("may go on while what they retired is purged under them", async () => {
    const old = newIndex();
    const next = newIndex({ tenant: old.tenant, collection: old.collection });
    const all = Object.fromEntries(IDS.map((id) => [id, randomDocument()]));
    await truth.indexRegistry.register([wantedOf(old)], 1);
    await write(documents, old, all);
    await truth.indexRegistry.register([wantedOf(next)], 2);
    await write(documents, next, all);
    await truth.indexRegistry.completeIfBuilt(next.indexId);
    await atOnce(async (writer) => {
      for (let round = 0; round < 6; round += 1) {
        if (writer < 2) await truth.indexRegistry.purgeRetired(3);
        else await writeSome(writer === 2 ? old : next);
      }
    });
    expect(await unsound(old)).toEqual([]);
    for (const { id, body } of await documents.findStale(old.collection, next.indexId, 99)) {
      await write(documents, next, { [id]: documentIn(body) });
    }
    while ((await truth.indexRegistry.purgeRetired(3)) > 0);
    await expectSound(next);
    expect(await find(documents, old, { words: WORDS.join(" "), vector: [1, 1, 1, 0] })).toEqual(
      [],
    );
  });
});
