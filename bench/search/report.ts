import { grouped, table } from "../../local/demo/words.ts";
import type { Finding } from "../benchmark.ts";
import type { Round } from "../support/call-in-turns.ts";
import { median, ratioOf, spreadText, type Spread } from "../support/rounds.ts";
import type { Abstracts } from "./abstracts.ts";
import type { BesideLucene } from "./beside-lucene.ts";
import { ABSENT } from "./data-sets.ts";
import type { HelpCentre } from "./help-centre.ts";
import type { Jsquad } from "./jsquad.ts";
import type { TimedMode } from "./time-modes.ts";

type Lines = readonly string[];
type Row = readonly string[];
type Statistic = keyof Round;

const times = (n: number): string => n.toFixed(2);
const share = (n: number): string => n.toFixed(4).replace(/^0/, "");

const middle = (rounds: readonly Round[], of: Statistic): string =>
  median(rounds.map((round) => round[of])).toFixed(1);
const both = (rounds: readonly Round[]): string =>
  `${middle(rounds, "p50")}/${middle(rounds, "p95")}`;
const beside = (ours: readonly Round[], theirs: readonly Round[], of: Statistic): Spread =>
  ratioOf(ours, theirs, (round) => round[of]);

const TIME_HEADER: Row = [
  "ms, p50/p95",
  "over HTTP",
  "its bare SQL",
  "ratio p50 (rounds)",
  "ratio p95 (rounds)",
  "in Postgres: plan + run",
  "CPU µs of workerd",
  "requests to Redis + Postgres",
  "characters",
];

const timeRow = ({ mode, freshet, bare, inside, cpu, requests, characters }: TimedMode): Row => [
  mode,
  both(freshet),
  both(bare),
  spreadText(beside(freshet, bare, "p50"), times),
  spreadText(beside(freshet, bare, "p95"), times),
  `${inside.planning.toFixed(1)} + ${inside.execution.toFixed(1)}`,
  `${cpu.freshet?.toFixed(0) ?? "?"} / ${cpu.bare?.toFixed(0) ?? "?"}`,
  `${requests.redis} + ${requests.postgres}`,
  characters.toFixed(0),
];

/** Pure. */
export const helpCentreLines = ({ documents, chunks, timed }: HelpCentre): Lines => [
  `The example's help centre: ${documents} documents, ${grouped(chunks)} chunks, k 10:`,
  ...table([TIME_HEADER, ...timed.map(timeRow)]),
];

/** Pure. */
export function abstractsLines(measured: Abstracts | null): Lines {
  if (measured === null) return [`Abstracts: ${ABSENT}.`];
  const { name, documents, timed, lucene, luceneQuality, fusedAlike, queries } = measured;
  return [
    `${name}: ${grouped(documents)} abstracts, ${queries} queries, vectors from LSA, k 10:`,
    ...table([TIME_HEADER, ...timed.map(timeRow)]),
    "",
    "The same beside Postgres' own means (full text search, pgvector, and RRF in one statement from",
    "a bare Worker). Ratios of time: of the search over HTTP, and of its bare SQL.",
    ...table([PLAIN_HEADER, ...qualityRows(measured)]),
    `  Lucene 8.7, by words: nDCG@10 ${share(luceneQuality.ndcg10)}; ${luceneText(lucene)}`,
    `  What SQL fuses is what \`fuse\` makes of both rankings for ${fusedAlike} of ${queries} queries.`,
  ];
}

function luceneText({ identical, queries, sameScores }: BesideLucene): string {
  const others =
    identical === queries
      ? ""
      : "; the others differ by characters that we read and Lucene does not (々, ², ﬁ)";
  return (
    `the first ten are Lucene's, in its order, for ${identical} of ${queries} queries, ` +
    `${(sameScores * 100).toFixed(1)} % of their scores within a thousandth${others}.`
  );
}

const PLAIN_HEADER: Row = [
  "",
  "p50 ms",
  "Freshet's time beside it",
  "its SQL's",
  "nDCG@10",
  "recall@10",
  "recall@100",
];

function qualityRows({ timed, qualities }: Abstracts): readonly Row[] {
  return qualities.map(({ name, ndcg10, recall10, recall100 }) => {
    const quality = [ndcg10, recall10, recall100].map(share);
    const own = timed.find(({ mode }) => name === mode || name === `${mode}, as served`);
    if (own !== undefined) return [name, middle(own.freshet, "p50"), "", "", ...quality];
    const [, mode, words = "or"] = /^plain (\w+)(?:, (\w+))?$/.exec(name) ?? [];
    const other = timed.find((one) => one.mode === mode);
    const rounds = other?.plain.get(words === "and" ? "and" : "or");
    if (other === undefined || rounds === undefined) return [name, "", "", "", ...quality];
    return [
      name,
      middle(rounds, "p50"),
      spreadText(beside(other.freshet, rounds, "p50"), times),
      spreadText(beside(other.bare, rounds, "p50"), times),
      ...quality,
    ];
  });
}

/** Pure. */
export function jsquadLines(measured: Jsquad | null): Lines {
  if (measured === null) return [`JSQuAD: ${ABSENT}.`];
  const { documents, queries, keyword, plain, lucene } = measured;
  const row = (name: string, of: typeof keyword): Row => [
    name,
    ...[of.ndcg10, of.recall10, of.recall100].map(share),
  ];
  return [
    `JSQuAD: ${grouped(documents)} Japanese paragraphs, ${grouped(queries)} questions, by words:`,
    ...table([
      ["", "nDCG@10", "recall@10", "recall@100"],
      row("keyword, pairs of characters", keyword),
      row("plain keyword ('simple'), and", plain.and),
      row("plain keyword ('simple'), or", plain.or),
    ]),
    `  Beside Lucene 8.7 with CJKAnalyzer: ${luceneText(lucene)}`,
  ];
}

/** Pure. */
export function timeFindings(what: string, timed: readonly TimedMode[]): readonly Finding[] {
  return timed.map(({ mode, freshet, bare, inside }) => ({
    what: `${what}, ${mode}, p50`,
    measured: `${spreadText(beside(freshet, bare, "p50"), times)} ×`,
    beside:
      `${middle(freshet, "p50")} ms, bare SQL ${middle(bare, "p50")} ms, ` +
      `of which Postgres ${(inside.planning + inside.execution).toFixed(1)}`,
    aim: "",
    met: null,
  }));
}

/** Pure. */
export function qualityFindings({
  name: set,
  qualities,
  lucene,
  luceneQuality,
}: Abstracts): readonly Finding[] {
  const of = (name: string): number => qualities.find((one) => one.name === name)?.ndcg10 ?? NaN;
  return [
    {
      what: `${set}, hybrid, nDCG@10`,
      measured: share(of("hybrid, as served")),
      beside:
        `plain: all words ${share(of("plain hybrid, and"))}, any ` +
        `${share(of("plain hybrid, or"))}; keyword ${share(of("keyword"))}, ` +
        `vector ${share(of("vector"))}`,
      aim: "",
      met: null,
    },
    {
      what: `${set}, keyword, top 10 as Lucene's`,
      measured: `${lucene.identical} of ${lucene.queries}`,
      beside: `Lucene's nDCG@10 ${share(luceneQuality.ndcg10)}`,
      aim: "≥ 99 %",
      met: lucene.identical >= 0.99 * lucene.queries,
    },
  ];
}
