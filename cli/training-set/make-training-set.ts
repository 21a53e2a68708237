import { statSync } from "node:fs";
import { resolve } from "node:path";
import { UsageError, type Terminal } from "../args.ts";
import { startBar, type ProgressScreen } from "../support/rate-bar.ts";
import { formatOf } from "../tables/table.ts";
import { checkPaths } from "./check-paths.ts";
import { computePartition, isComputed } from "./compute-partition.ts";
import { LineWriters } from "./partition-files.ts";
import { rejectedLine, rejectedText, scanSpine, type Rejected } from "./scan-spine.ts";
import {
  openTrainingSet,
  type TrainingContext,
  type TrainingRequest,
  type TrainingSet,
} from "./training-set.ts";
import { CAPPED, columnName, writeRows } from "./write-rows.ts";
import { openWorkDir, type Scanned, type WorkDir } from "./work-dir.ts";

export interface MakeOptions extends TrainingRequest {
  readonly spine: string;
  readonly out: string;
  /** Where rows go that cannot be used; null refuses them all. */
  readonly rejects: string | null;
  /** Whether a column says which values are bounds that were reached. */
  readonly capped?: boolean;
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
  const { spine } = options;
  checkPaths(options);
  const set = await openTrainingSet(ctx, options);
  const stat = statSync(spine);
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
    const written = await writeRows(ctx, options, set, work);
    isDone = true;
    return written;
  } catch (error) {
    // Nothing is computed yet, and the spine that is mended will be another one.
    isDone ||= error instanceof UsageError && work.manifest.scanned === null;
    throw error;
  } finally {
    if (isDone) work.finish();
    else work.close();
  }
}

function fingerprintOf(
  { where }: MakeContext,
  { tenant, asked, known, atColumn, versionColumn, spine, out, rejects, capped }: MakeOptions,
  { selection }: TrainingSet,
  state: string,
): string {
  return JSON.stringify([
    ["layout", 3],
    [where, tenant, asked.service ?? null, asked.features ?? null, known, atColumn],
    [versionColumn, capped === true],
    [resolve(spine), state, resolve(out), rejects === null ? null : resolve(rejects)],
    selection.views.map(({ stateId }) => stateId),
    selection.onDemand.map(({ name, version }) => [name, version]),
  ]);
}

async function scan(
  { screen, terminal, history }: MakeContext,
  { spine, rejects, capped }: MakeOptions,
  set: TrainingSet,
  work: WorkDir,
): Promise<Scanned> {
  const bar = startBar(screen, { word: "rows read", total: null });
  const aside = rejects === null ? null : new LineWriters([rejects]);
  let shown = 0;
  const rejected = (one: Rejected): void => {
    aside?.write(0, rejectedLine(one));
    if (shown < SHOWN_REJECTS) terminal.tell(rejectedText(spine, one));
    else if (shown === SHOWN_REJECTS) terminal.tell("… and more");
    shown += 1;
  };
  const scanned = await scanSpine({ history, set, work }, spine, {
    row: () => bar.add(1),
    rejected,
  });
  bar.end();
  aside?.close();
  const taken = new Set(scanned.columns.map(({ name }) => name));
  const clash = set.columns.names.map(columnName).find((name) => taken.has(name));
  if (clash !== undefined) {
    throw new UsageError(`${spine} has a column "${clash}" already, which is a feature's name.`);
  }
  if (capped === true && taken.has(CAPPED)) {
    throw new UsageError(`${spine} has a column "${CAPPED}" already, which --capped would add.`);
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
