import { lstatSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";
import { UsageError } from "../args.ts";
import type { MakeOptions } from "./make-training-set.ts";

interface Place {
  /** As the command line has it. */
  readonly option: string;
  readonly path: string;
}

/** Where a path leads, through symbolic links, whether or not anything is there yet. */
function realPath(path: string): string {
  const whole = resolve(path);
  try {
    return realpathSync(whole);
  } catch (error) {
    // Below a file, or in a circle of links, nothing can be.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") return whole;
    const isLink = lstatSync(whole, { throwIfNoEntry: false })?.isSymbolicLink() === true;
    if (isLink) return realPath(resolve(dirname(whole), readlinkSync(whole)));
    const parent = dirname(whole);
    return parent === whole ? whole : join(realPath(parent), basename(whole));
  }
}

const statOf = (path: string) => {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false });
  } catch {
    return undefined;
  }
};

/** Whether two names are one file: by links of either sort, and of what is not there yet. */
function isSame(a: string, b: string): boolean {
  const [one, other] = [statOf(a), statOf(b)];
  if (one !== undefined && other !== undefined) {
    return one.dev === other.dev && one.ino === other.ino;
  }
  return realPath(a) === realPath(b);
}

function checkApart(places: readonly Place[]): void {
  for (const [i, a] of places.entries()) {
    for (const b of places.slice(i + 1)) {
      if (!isSame(a.path, b.path)) continue;
      throw new UsageError(
        `${a.option} ${a.path} and ${b.option} ${b.path} are the same file: one would overwrite ` +
          "the other.",
      );
    }
  }
}

function checkWritten({ option, path }: Place): void {
  const stat = statOf(path);
  if (stat !== undefined && !stat.isFile()) throw new UsageError(`${option} ${path} is no file.`);
  const parent = dirname(realPath(path));
  if (statOf(parent)?.isDirectory() === true) return;
  throw new UsageError(`${option} ${path}: there is no directory ${parent}.`);
}

/**
 * Sees to it, before anything is opened, that a run writes over nothing that it reads or that
 * another of its files is. Throws a UsageError that says which paths do not go together.
 */
export function checkPaths({
  spine,
  out,
  rejects,
  workDir,
}: Pick<MakeOptions, "spine" | "out" | "rejects" | "workDir">): void {
  const stat = statOf(spine);
  if (stat === undefined) throw new UsageError(`There is no file ${spine}.`);
  if (!stat.isFile()) throw new UsageError(`--spine ${spine} is no file.`);
  const written: readonly Place[] = [
    { option: "--out", path: out },
    ...(rejects === null ? [] : [{ option: "--rejects", path: rejects }]),
  ];
  for (const place of written) checkWritten(place);
  const files = [{ option: "--spine", path: spine }, ...written];
  const unfinished = { option: "what --out is written to first,", path: `${out}.tmp` };
  checkApart([...files, unfinished]);
  const isDirectory = statOf(workDir)?.isDirectory() ?? true;
  if (!isDirectory) throw new UsageError(`--work ${workDir} is no directory.`);
  const work = realPath(workDir);
  for (const { option, path } of files) {
    const real = realPath(path);
    if (real !== work && !real.startsWith(work + sep)) continue;
    throw new UsageError(
      `${option} ${path} is in the work directory ${workDir}, which is removed in the end: name ` +
        "another with --work.",
    );
  }
}
