import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { table } from "../local/demo/words.ts";
import type { Benchmark, BenchmarkResult } from "./benchmark.ts";
import { consumer } from "./consumer.ts";
import { featureRead } from "./feature-read.ts";
import { history } from "./history.ts";
import { indexDocuments } from "./index-documents.ts";
import { lag } from "./lag.ts";
import { predictions } from "./predictions.ts";
import { rebuild } from "./rebuild.ts";
import { search } from "./search.ts";
import { states } from "./states.ts";
import { vectorRecall } from "./vector-recall.ts";

const BENCHMARKS: readonly Benchmark[] = [
  featureRead,
  predictions,
  search,
  vectorRecall,
  indexDocuments,
  consumer,
  lag,
  history,
  states,
  rebuild,
];

/** Pure. Words in lines of at most 96 columns. */
function wrap(text: string): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line === undefined || line.length + word.length >= 96) lines.push(word);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines;
}

const HELP = `
npm run bench [-- NAME… --full --json FILE]

Measures on this machine, each variant beside its plain alternative in alternating rounds: read
ratios, since absolute times depend on who else is at work. All together take about twelve minutes.

${BENCHMARKS.map(({ name, meaning }) => `  ${name}\n    ${wrap(meaning).join("\n    ")}`).join("\n\n")}

  --full        measures searches at the size that a Postgres server is measured at, on the
                embedded one too, and history at its promised size, a million rows
  --json FILE   writes every number there, such as to bench/results/today.json

With DATABASE_URL the server that it names is used, in a database that is made and dropped again;
otherwise the embedded Postgres. Redis is a redis-server on the PATH, otherwise the embedded one.
`;

/** What the numbers depend on besides the code. */
function machineNow(): string {
  const cores = cpus();
  const load = loadavg()[0] ?? 0;
  return `${cores.length} × ${cores[0]?.model.trim() ?? "?"}, load average ${load.toFixed(1)}`;
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      help: { type: "boolean", short: "h" },
      json: { type: "string" },
      full: { type: "boolean" },
    },
  });
  const say = (lines: readonly string[]): void => lines.forEach((line) => console.log(line));
  if (values.help === true) return say(HELP.trim().split("\n"));
  const unknown = positionals.filter((name) => !BENCHMARKS.some((one) => one.name === name));
  if (unknown.length > 0) {
    const names = BENCHMARKS.map(({ name }) => name).join(", ");
    throw new Error(`There is no benchmark "${unknown[0]}"; there are ${names}.`);
  }
  const chosen = BENCHMARKS.filter(
    ({ name }) => positionals.length === 0 || positionals.includes(name),
  );
  const machine = machineNow();
  say([`Node ${process.version}, ${machine}`, ""]);
  const results = new Map<string, BenchmarkResult>();
  for (const benchmark of chosen) {
    say([`── ${benchmark.name}`, ...wrap(benchmark.meaning), ""]);
    results.set(benchmark.name, await benchmark.run(say, { full: values.full === true }));
  }
  const rows = [...results].flatMap(([name, { findings }]) =>
    findings.map(({ what, measured, beside, aim, met }) => [
      name,
      what,
      measured,
      beside,
      aim,
      met === null ? "" : met ? "met" : "missed",
    ]),
  );
  say(["── Summary", ...table([["", "", "measured", "beside", "aim", ""], ...rows]), ""]);
  say([`At the end: ${machineNow()}`]);
  if (values.json === undefined) return;
  mkdirSync(dirname(values.json), { recursive: true });
  const at = new Date().toISOString();
  const all = { at, node: process.version, machine, ...Object.fromEntries(results) };
  writeFileSync(values.json, `${JSON.stringify(all, null, 2)}\n`);
  say(["", `Every number is in ${values.json}.`]);
}

/** What went wrong and why, each cause on a line of its own. */
function whyOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}\n  ${whyOf(error.cause)}`;
}

try {
  await main();
} catch (error) {
  console.error(whyOf(error));
  process.exitCode = 1;
}
