import { readMeters, usedBetween, type Used } from "../consumer/meters.ts";
import type { SearchBench } from "../search/open-search.ts";
import { findChild, processCpuUs } from "../support/process-cpu.ts";
import { vacuum } from "../support/vacuum.ts";
import type { Drawn } from "./draw.ts";
import { chunksOf, plainWrite } from "./plain-table.ts";

/** What one way of writing came to in one round. */
export interface Run {
  readonly documents: number;
  readonly chunks: number;
  /** Over HTTP. */
  readonly requests: number;
  readonly ms: number;
  readonly used: Used;
  /** CPU of workerd; null where it cannot be seen. */
  readonly workerUs: number | null;
}

export const WAYS = ["put", "again", "edited", "one", "plain"] as const;
export type Way = (typeof WAYS)[number];

export interface WriteSize {
  readonly rounds: number;
  /** In a round; of those one by one there are a fifth as many. */
  readonly documents: number;
  /** In a request. */
  readonly batch: number;
}

const COLLECTION = "articles";

/**
 * Puts documents round by round, the same ones in every way: new, once more as they are, with one
 * sentence edited, a few of them one by one, and as ready chunks into the plain table. The first
 * round warms up.
 */
export async function writeRounds(
  bench: SearchBench,
  draw: () => Drawn,
  { rounds, documents, batch }: WriteSize,
): Promise<Readonly<Record<Way, readonly Run[]>>> {
  const runs: Record<Way, Run[]> = { put: [], again: [], edited: [], one: [], plain: [] };
  for (let round = 0; round <= rounds; round += 1) {
    const drawn = Array.from({ length: documents }, draw);
    const single = Array.from({ length: documents / 5 }, draw);
    const works: Record<Way, () => Promise<Run>> = {
      put: () => post(bench, drawn, batch),
      again: () => post(bench, drawn, batch),
      edited: () => post(bench, drawn.map(edit), batch),
      one: () => post(bench, single, 1),
      plain: () => insert(bench, drawn, batch),
    };
    const plainFirst = round % 2 === 1;
    const order: readonly Way[] = plainFirst
      ? ["plain", "put", "again", "edited", "one"]
      : ["put", "plain", "again", "edited", "one"];
    for (const way of order) {
      const run = await works[way]();
      if (round > 0) runs[way].push(run);
    }
    await vacuum(bench.sql, ["search_chunks", "search_postings", "search_terms", "plain_chunks"]);
  }
  return runs;
}

/** Another sentence in the middle, so that some chunks stay as they are. */
function edit(document: Drawn): Drawn {
  const sentences = document.body.split(". ");
  sentences.splice(Math.floor(sentences.length / 2), 1, `This was said of ${document.id} before`);
  return { ...document, body: sentences.join(". ") };
}

async function post(bench: SearchBench, documents: readonly Drawn[], size: number): Promise<Run> {
  const bodies: string[] = [];
  for (let i = 0; i < documents.length; i += size) {
    bodies.push(JSON.stringify({ upserts: documents.slice(i, i + size) }));
  }
  return meter(bench, documents.length, bodies.length, async () => {
    let chunks = 0;
    for (const body of bodies) {
      const answer = await bench.post(`/v1/collections/${COLLECTION}/documents`, body);
      if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.text.slice(0, 300)}`);
      const { results } = JSON.parse(answer.text) as { results: readonly { chunks: number }[] };
      for (const written of results) chunks += written.chunks;
    }
    return chunks;
  });
}

async function insert(bench: SearchBench, documents: readonly Drawn[], size: number): Promise<Run> {
  const plan = bench.planOf(COLLECTION);
  const batches: { readonly body: string; readonly chunks: number }[] = [];
  for (let i = 0; i < documents.length; i += size) {
    const chunks = await chunksOf(plan, documents.slice(i, i + size));
    const statement = plainWrite(chunks, plan.embedder.dimensions);
    batches.push({ body: JSON.stringify([statement]), chunks: chunks.length });
  }
  return meter(bench, documents.length, batches.length, async () => {
    let written = 0;
    for (const { body, chunks } of batches) {
      const answer = await bench.post("/bare", body);
      if (answer.status !== 200) throw new Error(`${answer.status}: ${answer.text.slice(0, 300)}`);
      written += chunks;
    }
    return written;
  });
}

async function meter(
  { sql, stores }: SearchBench,
  documents: number,
  requests: number,
  work: () => Promise<number>,
): Promise<Run> {
  const pid = findChild("workerd");
  const workerNow = (): number => (pid === null ? NaN : (processCpuUs(pid, "workerd") ?? NaN));
  const before = await readMeters(sql, stores);
  const [workerBefore, begun] = [workerNow(), performance.now()];
  const chunks = await work();
  const ms = performance.now() - begun;
  const workerUs = workerNow() - workerBefore;
  const used = usedBetween(before, await readMeters(sql, stores));
  return {
    documents,
    chunks,
    requests,
    ms,
    used,
    workerUs: Number.isNaN(workerUs) ? null : workerUs,
  };
}
