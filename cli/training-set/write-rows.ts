import { renameSync } from "node:fs";
import { counted } from "../support/number-text.ts";
import { startBar } from "../support/rate-bar.ts";
import { noteKinds, type Kinds } from "../tables/kind.ts";
import { formatOf, type Cell } from "../tables/table.ts";
import { writeTable, type OutputColumn } from "../tables/write-table.ts";
import { featureKinds } from "./feature-kinds.ts";
import type { MakeContext, MakeOptions } from "./make-training-set.ts";
import { mergeRows } from "./merge-rows.ts";
import type { TrainingSet } from "./training-set.ts";
import type { WorkDir } from "./work-dir.ts";

/** The column that --capped adds, named as in answers of the API. */
export const CAPPED = "capped";

/** `view__feature`, which is a name in every language. */
export const columnName = (name: string): string => name.replace(":", "__");

/**
 * Writes the rows that are computed, whole or not at all, and tells of values that are none or
 * bounds; answers how many rows there are.
 */
export async function writeRows(
  { screen, terminal }: Pick<MakeContext, "screen" | "terminal">,
  { spine, out, capped: isTold }: Pick<MakeOptions, "spine" | "out" | "capped">,
  set: TrainingSet,
  work: WorkDir,
): Promise<number> {
  const format = formatOf(out);
  const failed = new Set<string>();
  const { columns: spineColumns = [], rows = 0, rejected = 0 } = work.manifest.scanned ?? {};
  const names = set.columns.names.map(columnName);
  const declared = featureKinds(set);
  const isSeen = format === "parquet" && declared.includes(null);
  // Functions have no types: a typed file needs to see what they give before it is begun.
  const seen = isSeen ? await kindsOf(names) : new Map<string, null>();
  const columns: readonly OutputColumn[] = [
    ...spineColumns.map(({ name, kind }) => ({ name, kind: kind ?? ("STRING" as const) })),
    ...names.map((name, i) => ({ name, kind: declared[i] ?? seen.get(name) ?? "DOUBLE" })),
    ...(isTold === true ? [{ name: CAPPED, kind: "JSON" as const }] : []),
  ];
  const bar = startBar(screen, { word: "rows written", total: rows - rejected });
  let written = 0;
  const bounded = new Map<string, number>();
  async function* merged(): AsyncGenerator<readonly Cell[]> {
    for await (const { cells, features, capped } of mergeRows(set, spine, work, failed)) {
      for (const name of capped) bounded.set(name, (bounded.get(name) ?? 0) + 1);
      yield [...cells, ...features, ...(isTold === true ? [capped.map(columnName)] : [])];
      written += 1;
      bar.add(1);
    }
  }
  await writeTable(`${out}.tmp`, format, columns, merged());
  renameSync(`${out}.tmp`, out);
  bar.end();
  for (const name of failed) {
    terminal.tell(`The function of ${name} failed on some rows: they have no value there.`);
  }
  for (const [name, count] of bounded) {
    const where = counted(count, "row", "rows");
    terminal.tell(`${name} reached its bound in ${where}: the truth is more there.`);
  }
  return written;

  async function kindsOf(columnNames: readonly string[]): Promise<Kinds> {
    const kinds: Kinds = new Map();
    for await (const { features } of mergeRows(set, spine, work, new Set())) {
      noteKinds(kinds, Object.fromEntries(columnNames.map((name, i) => [name, features[i]])));
    }
    return kinds;
  }
}
