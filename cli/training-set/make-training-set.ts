import { createWriteStream, renameSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { UsageError, type Terminal } from "../args.ts";
import { startBar, type ProgressScreen } from "../support/rate-bar.ts";
import { noteKinds, type Kind, type Kinds } from "../tables/kind.ts";
import { formatOf, type Cell } from "../tables/table.ts";
import { writeTable, type OutputColumn } from "../tables/write-table.ts";
import { computePartition, isComputed } from "./compute-partition.ts";
import { featureKinds } from "./feature-kinds.ts";
import { mergeRows } from "./merge-rows.ts";
import { rejectedLine, rejectedText, scanSpine, type Rejected } from "./scan-spine.ts";
import {
  openTrainingSet,
  type TrainingContext,
  type TrainingRequest,
  type TrainingSet,
} from "./training-set.ts";
import { openWorkDir, type Scanned, type WorkDir } from "./work-dir.ts";

export interface MakeOptions extends TrainingRequest {
  readonly spine: string;
  readonly out: string;
  /** Where rows go that cannot be used; null refuses them all. */
  readonly rejects: string | null;
  /** Where parts are kept until all are done. */
  readonly workDir: string;
}

export interface MakeContext extends TrainingContext {
  /** Names the database in what decides the result. */
  readonly where: string;
  readonly terminal: Terminal;
  readonly screen: ProgressScreen;
  /** Epoch ms. */
  readonly now: () => number;
}

/** About so many bytes of a spine go into a partition, which is computed in memory. */
const PARTITION_BYTES = 256 * 1024;
const MAX_PARTITIONS = 1_000;
/** Parquet packs about so many times as tight as text. */
const PARQUET_FACTOR = 6;
/** Partitions that are computed at a time: while one waits for the database, another computes. */
const AT_ONCE = 2;
const SHOWN_REJECTS = 20;

/** Pure. How many partitions a spine of that size is cut into. */
export function partitionsOf(path: string, bytes: number): number {
  const text = formatOf(path) === "parquet" ? bytes * PARQUET_FACTOR : bytes;
  return Math.max(1, Math.min(MAX_PARTITIONS, Math.ceil(text / PARTITION_BYTES)));
}

/**
 * Makes a training set: the spine's columns and the features of each of its rows, in its order.
 * Killed and started again, it goes on with what was done. Answers the number of rows written.
 * Throws a UsageError for rows that cannot be used, and for a work directory of another run.
 */
export async function makeTrainingSet(ctx: MakeContext, options: MakeOptions): Promise<number> {
  const { terminal, now } = ctx;
  const { spine, out } = options;
  const set = await openTrainingSet(ctx, options);
  const format = formatOf(out);
  const stat = statSync(spine, { throwIfNoEntry: false });
  if (stat === undefined) throw new UsageError(`There is no file ${spine}.`);
  const work = await openWorkDir(options.workDir, {
    fingerprint: fingerprintOf(ctx, options, set, `${stat.size} ${stat.mtimeMs}`),
    startedAt: now(),
    partitions: partitionsOf(spine, stat.size),
  });
  let isDone = false;
  try {
    if (work.resumed) terminal.tell(`Going on with what is in ${options.workDir}.`);
    const scanned = work.manifest.scanned ?? (await scan(ctx, options, set, work));
    if (scanned.rejected > 0 && options.rejects === null) {
      isDone = true;
      throw new UsageError(
        `${scanned.rejected} of ${scanned.rows} rows cannot be used: correct them, or set them ` +
          "aside with --rejects FILE.",
      );
    }
    await compute(ctx, set, work, scanned);
    const written = await write(ctx, options, set, work, format);
    isDone = true;
    return written;
  } finally {
    if (isDone) work.finish();
    else work.close();
  }
}

function fingerprintOf(
  { where }: MakeContext,
  { tenant, asked, known, atColumn, versionColumn, spine, out, rejects }: MakeOptions,
  { selection }: TrainingSet,
  state: string,
): string {
  return JSON.stringify([
    ["layout", 2],
    [where, tenant, asked.service ?? null, asked.features ?? null, known, atColumn],
    versionColumn,
    [resolve(spine), state, resolve(out), rejects === null ? null : resolve(rejects)],
    selection.views.map(({ stateId }) => stateId),
    selection.onDemand.map(({ name, version }) => [name, version]),
  ]);
}

async function scan(
  { screen, terminal, history }: MakeContext,
  { spine, rejects }: MakeOptions,
  set: TrainingSet,
  work: WorkDir,
): Promise<Scanned> {
  const bar = startBar(screen, { word: "rows read", total: null });
  const aside = rejects === null ? null : createWriteStream(rejects);
  let shown = 0;
  const rejected = (one: Rejected): void => {
    aside?.write(`${rejectedLine(one)}\n`);
    if (shown < SHOWN_REJECTS) terminal.tell(rejectedText(spine, one));
    else if (shown === SHOWN_REJECTS) terminal.tell("… and more");
    shown += 1;
  };
  const scanned = await scanSpine({ history, set, work }, spine, {
    row: () => bar.add(1),
    rejected,
  });
  bar.end();
  if (aside !== null) {
    await new Promise<void>((end, fail) => {
      aside.once("error", fail);
      aside.end(end);
    });
  }
  const taken = new Set(scanned.columns.map(({ name }) => name));
  const clash = set.columns.names.map(columnName).find((name) => taken.has(name));
  if (clash !== undefined) {
    throw new UsageError(`${spine} has a column "${clash}" already, which is a feature's name.`);
  }
  work.noteScanned(scanned);
  if (scanned.rejected > 0 && rejects !== null) {
    terminal.tell(`${scanned.rejected} of ${scanned.rows} rows are set aside in ${rejects}.`);
  }
  return scanned;
}

async function compute(
  { screen, history }: MakeContext,
  set: TrainingSet,
  work: WorkDir,
  { rows, rejected }: Scanned,
): Promise<void> {
  const { partitions } = work.manifest;
  const all = set.kinds.flatMap((_, kind) =>
    Array.from({ length: partitions }, (_none, partition) => ({ kind, partition })),
  );
  const left = all.filter(({ kind, partition }) => !isComputed(work, kind, partition));
  const total = (rows - rejected) * set.kinds.length;
  const done = Math.round((total * (all.length - left.length)) / Math.max(1, all.length));
  const word = set.kinds.length > 1 ? "lookups computed" : "rows computed";
  const bar = startBar(screen, { word, total, done });
  const worker = async (): Promise<void> => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      bar.add(await computePartition(history, set, work, next.kind, next.partition));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  bar.end();
}

/** `view__feature`, which is a name in every language. */
const columnName = (name: string): string => name.replace(":", "__");

async function write(
  { screen, terminal }: MakeContext,
  { spine, out }: MakeOptions,
  set: TrainingSet,
  work: WorkDir,
  format: ReturnType<typeof formatOf>,
): Promise<number> {
  const failed = new Set<string>();
  const { columns: spineColumns = [], rows = 0, rejected = 0 } = work.manifest.scanned ?? {};
  const names = set.columns.names.map(columnName);
  const declared = featureKinds(set);
  const isSeen = format === "parquet" && declared.includes(null);
  // Functions have no types: a typed file needs to see what they give before it is begun.
  const seen = isSeen ? await kindsOf(names, spineColumns.length) : new Map<string, Kind>();
  const columns: readonly OutputColumn[] = [
    ...spineColumns.map(({ name, kind }) => ({ name, kind: kind ?? ("STRING" as const) })),
    ...names.map((name, i) => ({ name, kind: declared[i] ?? seen.get(name) ?? "DOUBLE" })),
  ];
  const bar = startBar(screen, { word: "rows written", total: rows - rejected });
  let written = 0;
  async function* counted(): AsyncGenerator<readonly Cell[]> {
    for await (const row of mergeRows(set, spine, work, failed)) {
      yield row;
      written += 1;
      bar.add(1);
    }
  }
  await writeTable(`${out}.tmp`, format, columns, counted());
  renameSync(`${out}.tmp`, out);
  bar.end();
  for (const name of failed) {
    terminal.tell(`The function of ${name} failed on some rows: they have no value there.`);
  }
  return written;

  async function kindsOf(
    features: readonly string[],
    from: number,
  ): Promise<ReadonlyMap<string, Kind | null>> {
    const kinds: Kinds = new Map();
    for await (const row of mergeRows(set, spine, work, new Set())) {
      noteKinds(kinds, Object.fromEntries(features.map((name, i) => [name, row[from + i]])));
    }
    return kinds;
  }
}
