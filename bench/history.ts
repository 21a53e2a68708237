import { fork } from "node:child_process";
import { once } from "node:events";
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createRandom } from "../local/demo/random.ts";
import { grouped, table } from "../local/demo/words.ts";
import { createDefinitionStore } from "../src/platform/neon/definition-store.ts";
import { createSqlClient, type SqlClient, type SqlRow } from "../src/platform/neon/sql-client.ts";
import { DAY_MS } from "../src/time.ts";
import type { Benchmark, Say } from "./benchmark.ts";
import { END, EVENTS_EACH, loadPayments } from "./history/load.ts";
import type { Made } from "./history/make-process.ts";
import { queryAll, queryEach, type SpineRow } from "./history/plain-query.ts";
import { tenRegistry } from "./history/view.ts";
import { openStores, type Stores } from "./support/stores.ts";

const SIZE = 100_000;
const FULL_SIZE = 1_000_000;
const AIM = { seconds: 600, megabytes: 512 };
/** Rows of the plain alternatives, which are asked of some alone. */
const EACH_SAMPLE = 500;
const ALL_SAMPLE = 10_000;

export const history: Benchmark = {
  name: "history",
  meaning:
    "A training set of 100,000 rows with ten windowed features over 100,000 payments (--full: a " +
    "million each), from a CSV file to a CSV file as npm run training-set makes it, each row as it " +
    "would have been served at its time; beside the same question in SQL, of some of the rows, on " +
    "a table made for it: a query per row, and one lateral join.",
  async run(say, { full }) {
    const stores = await openStores();
    const directory = mkdtempSync(join(tmpdir(), "freshet-bench-"));
    try {
      return await measure(say, stores, directory, full ? FULL_SIZE : SIZE);
    } finally {
      rmSync(directory, { recursive: true });
      await stores.close();
    }
  },
};

async function measure(say: Say, stores: Stores, directory: string, size: number) {
  const { connectionString, sqlUrl: fetchEndpoint } = stores;
  const sql = createSqlClient({ connectionString, fetchEndpoint, timeoutMs: 600_000 });
  const definitions = createDefinitionStore(sql);
  await definitions.registerViews([...tenRegistry.views.values()], END);
  const spine = drawSpine(size);
  const [spinePath, outPath] = [join(directory, "spine.csv"), join(directory, "train.csv")];
  writeFileSync(spinePath, `customer_id,at\n${spine.map(spineLine).join("\n")}\n`);
  await loadPayments(sql, size);
  say([`${stores.description} ${grouped(size)} payments, ${grouped(size)} rows.`, ""]);

  const made = await make(stores, spinePath, outPath);
  const each = await timed(() => queryEach(sql, spine.slice(0, EACH_SAMPLE)));
  const all = await queryInPages(sql, spine.slice(0, ALL_SAMPLE));
  const differing = await countDiffering(outPath, all.answers);
  const perSecond = (rows: number, ms: number): number => Math.round((rows / ms) * 1_000);
  const speeds = {
    freshet: perSecond(made.rows, made.ms),
    each: perSecond(EACH_SAMPLE, each.ms),
    all: perSecond(ALL_SAMPLE, all.ms),
  };
  const megabytes = Math.round(made.peakBytes / 1e6);
  say([
    ...table([
      ["", "rows/s", "rows", "s"],
      ["training-set", grouped(speeds.freshet), grouped(made.rows), (made.ms / 1e3).toFixed(1)],
      ["a query per row", grouped(speeds.each), grouped(EACH_SAMPLE), (each.ms / 1e3).toFixed(1)],
      ["one lateral join", grouped(speeds.all), grouped(ALL_SAMPLE), (all.ms / 1e3).toFixed(1)],
    ]),
    "",
    `  At most ${megabytes} MB resident, ${(made.cpuMs / 1e3).toFixed(1)} s of CPU of its own.`,
    ...made.steps.map((step) => `  ${step}`),
    `  Of ${grouped(ALL_SAMPLE)} rows, ${differing} differ from what SQL says.`,
    "",
  ]);
  const seconds = made.ms / 1e3;
  const isFull = size === FULL_SIZE;
  return {
    findings: [
      {
        what: `rows/s, ${grouped(size)} rows × 10 features`,
        measured: grouped(speeds.freshet),
        beside: `${(speeds.freshet / speeds.each).toFixed(0)} × a query per row, ${(speeds.freshet / speeds.all).toFixed(1)} × one lateral join`,
        aim: isFull ? `≤ ${AIM.seconds} s` : "",
        met: isFull ? seconds <= AIM.seconds : null,
      },
      {
        what: "peak memory",
        measured: `${megabytes} MB`,
        beside: "",
        aim: `≤ ${AIM.megabytes} MB`,
        met: megabytes <= AIM.megabytes,
      },
      {
        what: "rows unlike SQL's",
        measured: String(differing),
        beside: `of ${grouped(ALL_SAMPLE)}`,
        aim: "0",
        met: differing === 0,
      },
    ],
    data: { made, each: each.ms, all: all.ms, speeds, differing },
  };
}

/** Rows at any time of the last sixty days, of any customer. */
function drawSpine(size: number): readonly SpineRow[] {
  const random = createRandom("spine");
  const customers = Math.ceil(size / EVENTS_EACH);
  return Array.from({ length: size }, () => ({
    customer: `c${random.int(0, customers - 1)}`,
    at: END - random.int(0, 60 * DAY_MS),
  }));
}

const spineLine = ({ customer, at }: SpineRow): string => `${customer},${at}`;

async function make(stores: Stores, spine: string, out: string): Promise<Made> {
  const args = [stores.connectionString, stores.sqlUrl, spine, out];
  const child = fork(join(import.meta.dirname, "history/make-process.ts"), args);
  const ended = once(child, "exit").then((): never => {
    throw new Error("the training set was not made");
  });
  const [made] = (await Promise.race([once(child, "message"), ended])) as [Made];
  return made;
}

async function timed<T>(
  work: () => Promise<T>,
): Promise<{ readonly ms: number; readonly answer: T }> {
  const began = performance.now();
  const answer = await work();
  return { ms: performance.now() - began, answer };
}

/** The lateral join of so many rows at a time that its answer fits into memory. */
async function queryInPages(sql: SqlClient, rows: readonly SpineRow[]) {
  const PAGE = 5_000;
  const answers: SqlRow[] = [];
  let ms = 0;
  for (let from = 0; from < rows.length; from += PAGE) {
    const page = await timed(() => queryAll(sql, rows.slice(from, from + PAGE)));
    ms += page.ms;
    answers.push(...page.answer);
  }
  return { ms, answers };
}

const FEATURES = "n_1h n_1d n_7d n_30d sum_1h sum_1d sum_7d sum_30d max_7d mean_30d".split(" ");

/** How many rows of the file have other features than SQL found, but for the last digits of a mean. */
async function countDiffering(path: string, answers: readonly SqlRow[]): Promise<number> {
  const lines = createInterface({ input: createReadStream(path, "utf8") });
  let [at, differing] = [-1, 0];
  for await (const line of lines) {
    const answer = answers[at];
    at += 1;
    if (at === 0 || answer === undefined) continue;
    const cells = line.split(",").slice(2);
    if (!FEATURES.every((name, i) => isSame(cells[i] ?? "", answer[name] ?? null))) differing += 1;
  }
  return differing;
}

function isSame(cell: string, value: SqlRow[string]): boolean {
  if (cell === "" || value === null) return (cell === "") === (value === null);
  return Math.abs(Number(cell) - Number(value)) <= 1e-9 * Math.abs(Number(value));
}
