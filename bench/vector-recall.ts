import { toSql } from "pgvector";
import { percentile, table } from "../local/demo/words.ts";
import { createDocumentIndex } from "../src/platform/neon/document-index.ts";
import { createIndexRegistry } from "../src/platform/neon/index-registry.ts";
import { searchSettings, searchStatement } from "../src/platform/neon/search-statement.ts";
import { createSqlClient, type SqlClient } from "../src/platform/neon/sql-client.ts";
import type { DocumentIndex, IndexQuery, IndexRef } from "../src/retrieval/document-index.ts";
import type { Benchmark, BenchmarkResult, Finding } from "./benchmark.ts";
import { openStores } from "./support/stores.ts";
import { vacuum } from "./support/vacuum.ts";
import { branchOf, type Branch } from "./vector-recall/branch.ts";
import { fieldOf, fill, PER_MILLE } from "./vector-recall/fill.ts";
import { DIMENSIONS, drawVectors, nearest } from "./vector-recall/vectors.ts";

const INDEX: IndexRef = {
  tenant: "bench",
  collection: "vectors",
  indexId: "vectors@0123456789abcdef",
  dimensions: DIMENSIONS,
};
/** In per mille; the last one is no filter. */
const SELECTIVITIES = [10, 30, 100, 300, 500, PER_MILLE];
const QUERIES = 100;
const K = 10;
const AIM = 0.98;

interface Measured {
  readonly perMille: number;
  readonly branch: Branch;
  readonly freshet: { readonly recall: number; readonly p50: number };
  readonly plain: { readonly recall: number; readonly p50: number };
}

function queryFor(vector: Float32Array, perMille: number): IndexQuery {
  const filter = { op: "lt", field: "r", kind: "number", value: perMille } as const;
  return {
    keyword: null,
    vector: Array.from(vector),
    fusion: { method: "relative_score", alpha: 0.5 },
    filter: perMille === PER_MILLE ? null : filter,
    k: K,
    depth: 100,
    now: Date.now(),
    titleField: null,
  };
}

/** What pgvector's manual shows, on the same table and index, as Postgres comes. */
async function searchPlainly(
  sql: SqlClient,
  vector: Float32Array,
  perMille: number,
): Promise<readonly string[]> {
  const type = `halfvec(${DIMENSIONS})`;
  const rows = await sql.query(
    `SELECT document_id, text, fields FROM search_chunks
      WHERE tenant = $1 AND index_id = '${INDEX.indexId}' AND (fields ->> 'r')::int < $2::int
      ORDER BY embedding::${type} <=> $3::${type} LIMIT ${K}`,
    [INDEX.tenant, perMille, toSql(Array.from(vector))],
  );
  return rows.map((row) => String(row["document_id"]));
}

async function measure(
  sql: SqlClient,
  documents: DocumentIndex,
  vectors: readonly Float32Array[],
  queries: readonly Float32Array[],
  perMille: number,
): Promise<Measured> {
  const ways = {
    freshet: async (vector: Float32Array) =>
      (await documents.search(INDEX, queryFor(vector, perMille))).hits.map(({ id }) => id),
    plain: (vector: Float32Array) => searchPlainly(sql, vector, perMille),
  };
  const names = ["freshet", "plain"] as const;
  const ms = { freshet: [] as number[], plain: [] as number[] };
  const found = { freshet: 0, plain: 0 };
  for (const [i, query] of queries.entries()) {
    const wanted = nearest(vectors, query, K, (at) => fieldOf(at) < perMille).map(String);
    for (const name of i % 2 === 0 ? names : names.toReversed()) {
      const begun = performance.now();
      const ids = await ways[name](query);
      ms[name].push(performance.now() - begun);
      found[name] += wanted.filter((id) => ids.includes(id)).length / K;
    }
  }
  const query = queryFor(queries[0] ?? new Float32Array(DIMENSIONS), perMille);
  const statements = [searchSettings(INDEX, query), searchStatement(INDEX, query)];
  const result = (name: "freshet" | "plain") => ({
    recall: found[name] / queries.length,
    p50: percentile(ms[name], 0.5),
  });
  return {
    perMille,
    branch: await branchOf(sql, statements),
    freshet: result("freshet"),
    plain: result("plain"),
  };
}

export const vectorRecall: Benchmark = {
  name: "recall",
  meaning:
    "How many of the ten nearest vectors a search finds (recall@10), beside all of them compared " +
    "one by one in Node: with filters that match a share of the documents, whatever their vectors. " +
    "Beside it what pgvector's manual shows, on the same table and index: the filter in WHERE, " +
    "ORDER BY distance, LIMIT 10. Milliseconds are of calls from Node.",
  async run(say, { full }): Promise<BenchmarkResult> {
    const stores = await openStores();
    try {
      const sql = createSqlClient({
        connectionString: stores.connectionString,
        fetchEndpoint: stores.sqlUrl,
        timeoutMs: 120_000,
      });
      const count = full ? 60_000 : stores.isServer ? 20_000 : 2_000;
      const documents = createDocumentIndex(sql);
      const { indexId, collection } = INDEX;
      const wanted = { indexId, collection, dimensions: DIMENSIONS, spec: "{}" };
      await createIndexRegistry(sql).register([wanted], Date.now());
      const draw = drawVectors("recall");
      const vectors = Array.from({ length: count }, draw);
      const queries = Array.from({ length: QUERIES }, draw);
      const begun = performance.now();
      await fill(documents, INDEX, vectors);
      const perSecond = (count / (performance.now() - begun)) * 1_000;
      await vacuum(sql, ["search_chunks", "documents"]);
      const measured: Measured[] = [];
      for (const perMille of SELECTIVITIES) {
        measured.push(await measure(sql, documents, vectors, queries, perMille));
      }
      say([stores.description, "", ...table(rowsOf(measured, count))]);
      say([`  The vectors were put into the index at ${perSecond.toFixed(0)} per second.`, ""]);
      return { findings: measured.map(findingOf), data: { count, perSecond, measured } };
    } finally {
      await stores.close();
    }
  },
};

const percent = (perMille: number): string =>
  perMille === PER_MILLE ? "no filter" : `filter: ${perMille / 10} %`;

const rowsOf = (measured: readonly Measured[], count: number): readonly (readonly string[])[] => [
  [
    `${count.toLocaleString("en-US")} × ${DIMENSIONS}`,
    "searched",
    "recall@10",
    "p50 ms",
    "plain recall@10",
    "plain p50 ms",
  ],
  ...measured.map(({ perMille, branch, freshet, plain }) => [
    percent(perMille),
    branch,
    freshet.recall.toFixed(3),
    freshet.p50.toFixed(1),
    plain.recall.toFixed(3),
    plain.p50.toFixed(1),
  ]),
];

const findingOf = ({ perMille, branch, freshet, plain }: Measured): Finding => ({
  what: `recall@10, ${percent(perMille)}`,
  measured: freshet.recall.toFixed(3),
  beside: `${branch}, ${freshet.p50.toFixed(1)} ms; plain ${plain.recall.toFixed(3)}`,
  aim: `≥ ${AIM}`,
  met: freshet.recall >= AIM,
});
