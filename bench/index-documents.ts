import { grouped, table } from "../local/demo/words.ts";
import type { Benchmark, BenchmarkResult, Finding } from "./benchmark.ts";
import { drawDocuments } from "./index-documents/draw.ts";
import { makePlainTable } from "./index-documents/plain-table.ts";
import { bytesOf, requestBytes } from "./index-documents/request-bytes.ts";
import { sizesPerChunk, type Size } from "./index-documents/sizes.ts";
import { WAYS, writeRounds, type Run, type Way } from "./index-documents/write-rounds.ts";
import { openSearch } from "./search/open-search.ts";
import { median, ratioOf, spreadOf, spreadText } from "./support/rounds.ts";

const NAMES: Readonly<Record<Way, string>> = {
  put: "new, together",
  again: "the same again",
  edited: "a sentence of each edited",
  one: "new, one a request",
  plain: "ready chunks into a plain table",
};

const whole = (n: number): string => grouped(Math.round(n));
const times = (n: number): string => n.toFixed(2);
const perSecond = ({ documents, ms }: Run): number => (documents / ms) * 1_000;

export const indexDocuments: Benchmark = {
  name: "documents",
  meaning:
    "Documents of some 450 words per second through POST …/documents, one request at a time: split, " +
    "embedded (by feature hashing, so that no model's time is in it), analysed and written with " +
    "BM25 and HNSW in one commit; beside the same chunks, split and embedded beforehand, put into a " +
    "plain table with a generated tsvector (GIN) and HNSW by a bare Worker.",
  async run(say, { full }): Promise<BenchmarkResult> {
    const bench = await openSearch();
    try {
      const { stores, sql } = bench;
      const size =
        full || stores.isServer
          ? { rounds: 6, documents: 200, batch: 40 }
          : { rounds: 3, documents: 20, batch: 20 };
      const plan = bench.planOf("articles");
      const draw = await drawDocuments("a");
      await makePlainTable(sql, plan.embedder.dimensions);
      const runs = await writeRounds(bench, draw, size);
      const [row] = await sql.query(
        `SELECT (SELECT count(*) FROM search_chunks)::int AS ours,
                (SELECT count(*) FROM plain_chunks)::int AS plain`,
        [],
      );
      const sizes = await sizesPerChunk(sql, "^(search_|documents$)", Number(row?.["ours"]));
      const plainSizes = await sizesPerChunk(sql, "^plain_", Number(row?.["plain"]));
      const documents = Array.from({ length: size.batch }, draw);
      const sent = {
        http: bytesOf({ upserts: documents }),
        sql: await requestBytes(sql, plan, documents),
      };
      say([stores.description, "", ...table(rowsOf(runs)), ""]);
      say([
        `  Together are ${size.batch} documents: a request of ${whole(sent.http)} bytes, for which ` +
          `the Worker sends ${whole(sent.sql)} to Postgres.`,
        `  Bytes a chunk after ${whole(Number(row?.["ours"]))} of them, each document of which was ` +
          `edited once: ${sizesText(sizes)}.`,
        `  Of the plain table: ${sizesText(plainSizes)}.`,
        "",
      ]);
      return { findings: findingsOf(runs, sizes, plainSizes), data: { runs, sizes, plainSizes } };
    } finally {
      await bench.close();
    }
  },
};

type Runs = Readonly<Record<Way, readonly Run[]>>;

const rowsOf = (runs: Runs): readonly (readonly string[])[] => [
  [
    "",
    "documents/s (rounds)",
    "chunks/s",
    "ms a request",
    "beside plain",
    "requests to Postgres",
    "CPU µs a chunk: workerd + façades + Postgres",
    "WAL bytes a chunk",
  ],
  ...WAYS.map((way) => {
    const of = runs[way];
    const middle = (value: (run: Run) => number): number => median(of.map(value));
    const perChunk = (value: (run: Run) => number | null): string => {
      const per = middle((run) => (value(run) ?? NaN) / run.chunks);
      return Number.isNaN(per) ? "?" : whole(per);
    };
    return [
      NAMES[way],
      spreadText(spreadOf(of.map(perSecond)), whole),
      whole(middle(({ chunks, ms }) => (chunks / ms) * 1_000)),
      whole(middle(({ ms, requests }) => ms / requests)),
      way === "plain" ? "" : spreadText(ratioOf(of, runs.plain, perSecond), times),
      middle(({ used, requests }) => used.requests.postgres / requests).toFixed(1),
      [
        perChunk(({ workerUs }) => workerUs),
        perChunk(({ used }) => used.facadesUs),
        perChunk(({ used }) => used.postgresUs),
      ].join(" + "),
      perChunk(({ used }) => used.walBytes),
    ];
  }),
];

const NEGLIGIBLE = 0.01;
const total = (sizes: readonly Size[]): number => sizes.reduce((sum, { bytes }) => sum + bytes, 0);

function sizesText(sizes: readonly Size[]): string {
  const all = total(sizes);
  const named = sizes.filter(({ bytes }) => bytes >= NEGLIGIBLE * all);
  return `${whole(all)} (${named.map(({ name, bytes }) => `${name} ${whole(bytes)}`).join(", ")})`;
}

const findingsOf = (
  runs: Runs,
  sizes: readonly Size[],
  plainSizes: readonly Size[],
): readonly Finding[] => [
  {
    what: `documents/s, ${NAMES.put}`,
    measured: spreadText(spreadOf(runs.put.map(perSecond)), whole),
    beside: `${ratioOf(runs.put, runs.plain, perSecond).median.toFixed(2)} × plain table`,
    aim: "",
    met: null,
  },
  {
    what: `documents/s, ${NAMES.again}`,
    measured: spreadText(spreadOf(runs.again.map(perSecond)), whole),
    beside: `${ratioOf(runs.again, runs.put, perSecond).median.toFixed(0)} × new`,
    aim: "",
    met: null,
  },
  {
    what: "bytes a chunk, with all indexes",
    measured: whole(total(sizes)),
    beside: `${(total(sizes) / total(plainSizes)).toFixed(2)} × plain table`,
    aim: "",
    met: null,
  },
];
