import { readRequest, type RequestOf } from "../../src/features/on-demand.ts";
import type { ViewAnswer } from "../../src/features/assemble.ts";
import { readTable } from "../tables/read-table.ts";
import type { Cell } from "../tables/table.ts";
import { valuesFile, type RowValues } from "./compute-partition.ts";
import { LineReader } from "./partition-files.ts";
import { REFUSED, ROWS } from "./scan-spine.ts";
import { historyRowOf } from "./spine-row.ts";
import type { TrainingSet } from "./training-set.ts";
import type { WorkDir } from "./work-dir.ts";

const answerOf = ([values, capped = []]: RowValues[number]): ViewAnswer => ({
  values,
  statuses: values.map(() => "PRESENT"),
  capped,
});

/** A row of the spine with its features. */
export interface MergedRow {
  readonly cells: readonly Cell[];
  readonly features: readonly Cell[];
  /** The features whose value is a bound that was reached: the truth is more. */
  readonly capped: readonly string[];
}

/**
 * The spine's rows in their order, each with its features; refused rows are left out. `failed` is
 * given the names of on-demand features whose function failed.
 */
export async function* mergeRows(
  set: TrainingSet,
  spine: string,
  work: WorkDir,
  failed: Set<string>,
): AsyncGenerator<MergedRow> {
  const { partitions, scanned } = work.manifest;
  const names = (scanned?.columns ?? []).map(({ name }) => name);
  const rows = new LineReader(work.path(ROWS));
  const values = set.kinds.map((_, kind) =>
    Array.from(
      { length: partitions },
      (_none, i) => new LineReader(work.path(valuesFile(kind, i))),
    ),
  );
  try {
    for await (const { cells } of readTable(spine)) {
      const places = rows.next() ?? REFUSED;
      if (places === REFUSED) continue;
      const ofViews: ViewAnswer[] = [];
      for (const [kind, place] of places.split(" ").entries()) {
        const line = values[kind]?.[Number(place)]?.next() ?? "[]";
        for (const [i, ofView] of (JSON.parse(line) as RowValues).entries()) {
          ofViews[set.kinds[kind]?.views[i] ?? 0] = answerOf(ofView);
        }
      }
      const answer = set.columns.assemble(ofViews, requestOf(cells), failed);
      yield {
        cells: names.map((name) => cells[name] ?? null),
        features: answer.values,
        capped: answer.capped,
      };
    }
  } finally {
    rows.close();
    for (const reader of values.flat()) reader.close();
  }

  function requestOf(cells: Readonly<Record<string, Cell>>): RequestOf | undefined {
    if (set.selection.onDemand.length === 0) return undefined;
    const row = historyRowOf(set, cells);
    const request = readRequest(set.selection.onDemand, row.ok ? row.value.request : {}, "");
    return request.ok ? request.value : undefined;
  }
}
