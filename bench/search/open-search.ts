import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { applyIndexes } from "../../cli/apply-indexes.ts";
import { buildWorker, type BuiltWorker } from "../../local/build-worker.ts";
import { compileDeployment } from "../../src/deployment.ts";
import { createIndexRegistry } from "../../src/platform/neon/index-registry.ts";
import { createSqlClient, type SqlClient } from "../../src/platform/neon/sql-client.ts";
import type { CollectionPlan } from "../../src/retrieval/collection-plan.ts";
import { createCaller, type Called, type Caller } from "../support/http-call.ts";
import { openWorker, type BenchWorker } from "../support/open-worker.ts";
import { openStores, type Stores } from "../support/stores.ts";
import { vacuum } from "../support/vacuum.ts";
import { searched } from "./collections.ts";

/** The Worker of the search benchmarks before stores of its own, its indexes applied. */
export interface SearchBench {
  readonly stores: Stores;
  readonly worker: BenchWorker;
  readonly sql: SqlClient;
  /** Posts JSON to the Worker with its key; the answer's status is the caller's to check. */
  post(path: string, body: string): Promise<Called>;
  planOf(collection: string): CollectionPlan;
  close(): Promise<void>;
}

const ROOT = join(import.meta.dirname, "../..");
const TIMEOUT_MS = 120_000;

export async function openSearch(): Promise<SearchBench> {
  const stores = await openStores();
  const caller = createCaller();
  try {
    return await open(stores, caller);
  } catch (error) {
    caller.close();
    await stores.close();
    throw error;
  }
}

async function open(stores: Stores, caller: Caller): Promise<SearchBench> {
  const sql = createSqlClient({
    connectionString: stores.connectionString,
    fetchEndpoint: stores.sqlUrl,
    timeoutMs: TIMEOUT_MS,
  });
  const { collections } = compileDeployment(searched);
  const indexes = createIndexRegistry(sql);
  await applyIndexes({ collections, indexes, local: true, print: () => undefined });
  const worker = await openWorker(stores, await build());
  return {
    stores,
    worker,
    sql,
    post: (path, body) => caller.post(`${worker.url}${path}`, body, worker.headers),
    planOf(collection) {
      const plan = collections.get(collection);
      if (plan === undefined) throw new Error(`there is no collection "${collection}"`);
      return plan;
    },
    async close() {
      await worker.close();
      caller.close();
      await stores.close();
    },
  };
}

/** Built anew: what it depends on is more than its own directory. */
async function build(): Promise<BuiltWorker> {
  const cache = await mkdtemp(join(ROOT, "node_modules/.cache/freshet-search-bench-"));
  try {
    return await buildWorker(join(ROOT, "bench/search-worker"), cache);
  } finally {
    await rm(cache, { recursive: true, force: true });
  }
}

const AT_ONCE = 50;

/** Puts documents through the API, and vacuums after it. */
export async function putAll(
  bench: Pick<SearchBench, "post" | "sql">,
  collection: string,
  documents: readonly { readonly id: string }[],
): Promise<void> {
  for (let i = 0; i < documents.length; i += AT_ONCE) {
    const upserts = documents.slice(i, i + AT_ONCE);
    const path = `/v1/collections/${collection}/documents`;
    const { status, text } = await bench.post(path, JSON.stringify({ upserts }));
    if (status !== 200 || text.includes('"rejected"')) {
      throw new Error(`documents were refused (${status}): ${text.slice(0, 300)}`);
    }
  }
  await vacuum(bench.sql, ["documents", "search_chunks", "search_postings", "search_terms"]);
}
