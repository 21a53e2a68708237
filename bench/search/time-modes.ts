import { workerdCpu } from "../feature-read/call-pair.ts";
import { callInTurns, type Call, type Round } from "../support/call-in-turns.ts";
import { median } from "../support/rounds.ts";
import type { SqlStatement } from "../../src/platform/neon/sql-client.ts";
import type { SearchMode } from "../../src/retrieval/search.ts";
import type { SearchBench } from "./open-search.ts";
import type { PlainSearch, PlainWords } from "./plain.ts";
import { bodyOf, insideMs, statementsOf, type Question } from "./statements.ts";

export const MODES = ["keyword", "vector", "hybrid"] as const;

export interface Size {
  readonly rounds: number;
  readonly calls: number;
}

/** What one mode of search takes, and what it is compared with. */
export interface TimedMode {
  readonly mode: SearchMode;
  /** Over HTTP. */
  readonly freshet: readonly Round[];
  /** The same statements, from a bare Worker. */
  readonly bare: readonly Round[];
  /** By Postgres' own count, medians in ms. */
  readonly inside: { readonly planning: number; readonly execution: number };
  /** CPU microseconds of workerd per call; null where they cannot be seen. */
  readonly cpu: { readonly freshet: number | null; readonly bare: number | null };
  /** Per call, over HTTP. */
  readonly requests: { readonly redis: number; readonly postgres: number };
  readonly characters: number;
  /** Postgres' own full text search and pgvector, from a bare Worker, where there are such tables. */
  readonly plain: ReadonlyMap<PlainWords, readonly Round[]>;
}

const K = 10;
const INSIDE = 40;
const CPU_CALLS = 60;
const COUNTED = 20;

/** Times a collection's searches for the best ten, in each mode. */
export async function timeModes(
  bench: SearchBench,
  collection: string,
  questions: readonly Question[],
  plain: PlainSearch | null,
  size: Size,
): Promise<readonly TimedMode[]> {
  const timed: TimedMode[] = [];
  for (const mode of MODES) timed.push(await time(bench, collection, mode, questions, plain, size));
  return timed;
}

async function time(
  bench: SearchBench,
  collection: string,
  mode: SearchMode,
  questions: readonly Question[],
  plain: PlainSearch | null,
  size: Size,
): Promise<TimedMode> {
  const plan = bench.planOf(collection);
  const { tenant } = bench.worker;
  const own = await Promise.all(
    questions.map((question) => statementsOf(tenant, plan, question, mode, K)),
  );
  const path = `/v1/collections/${collection}/search`;
  const freshet = calls(
    bench,
    path,
    questions.map((question) => bodyOf(question, mode, K)),
  );
  const bare = callsBare(bench, own);
  // Words make no difference to vectors alone.
  const words: readonly PlainWords[] = mode === "vector" ? ["or"] : ["and", "or"];
  const plainCalls = (plain === null ? [] : words).map((match) =>
    callsBare(
      bench,
      questions.map(({ query, vector }) => plain?.statements(match, query, vector, mode, K) ?? []),
    ),
  );
  const [ofFreshet = [], ofBare = [], ...ofPlain] = await callInTurns(
    [freshet, bare, ...plainCalls],
    size,
  );
  const inside = [];
  for (const statements of own.slice(0, INSIDE)) inside.push(await insideMs(bench.sql, statements));
  return {
    mode,
    freshet: ofFreshet,
    bare: ofBare,
    inside: {
      planning: median(inside.map(({ planning }) => planning)),
      execution: median(inside.map(({ execution }) => execution)),
    },
    cpu: {
      freshet: await workerdCpu(freshet, CPU_CALLS),
      bare: await workerdCpu(bare, CPU_CALLS),
    },
    ...(await perCall(bench, freshet)),
    plain: new Map(ofPlain.map((rounds, i) => [words[i] ?? "or", rounds])),
  };
}

const calls =
  (bench: SearchBench, path: string, bodies: readonly string[]): Call =>
  (turn) =>
    bench.post(path, bodies[turn % bodies.length] ?? "");

const callsBare = (bench: SearchBench, statements: readonly (readonly SqlStatement[])[]): Call =>
  calls(
    bench,
    "/bare",
    statements.map((of) => JSON.stringify(of)),
  );

async function perCall({ stores }: SearchBench, call: Call) {
  const before = (await stores.readMeters()).requests;
  let characters = 0;
  for (let turn = 0; turn < COUNTED; turn += 1) characters += (await call(turn)).text.length;
  const after = (await stores.readMeters()).requests;
  return {
    requests: {
      redis: (after.redis - before.redis) / COUNTED,
      postgres: (after.postgres - before.postgres) / COUNTED,
    },
    characters: characters / COUNTED,
  };
}
