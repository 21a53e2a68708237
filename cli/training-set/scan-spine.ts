import type { FieldError } from "../../src/errors.ts";
import type { HistoryLog } from "../../src/features/history/history-log.ts";
import type { PreparedRow } from "../../src/features/history/prepare-row.ts";
import { err, type Result } from "../../src/result.ts";
import { noteKinds, type Kinds } from "../tables/kind.ts";
import { readColumns, readTable } from "../tables/read-table.ts";
import { jsonText, type TableRow } from "../tables/table.ts";
import { checkColumns } from "./check-columns.ts";
import { findAhead } from "./find-ahead.ts";
import { LineWriters } from "./partition-files.ts";
import { historyRowOf } from "./spine-row.ts";
import type { TrainingSet } from "./training-set.ts";
import type { Scanned, WorkDir } from "./work-dir.ts";

/**
 * What is asked of one kind of entity for one row: `upTo` null is all, a key for each view, and for
 * rows that name versions, for each view the view's and the entity's.
 */
export type Task = readonly [
  row: number,
  at: number,
  upTo: number | null,
  keys: readonly string[],
  versions?: readonly (readonly [ofView: number, ofEntity: number])[],
];

/** Where rows are that were refused. */
export const REFUSED = "-";

export const taskFile = (kind: number, partition: number): string => `${kind}-${partition}.tasks`;
/** Per row, a line: the partition of each kind of entity, or REFUSED. */
export const ROWS = "rows";

/** A row that cannot be used. */
export interface Rejected {
  readonly row: TableRow;
  readonly errors: readonly FieldError[];
}

/** Pure. 32 bits of FNV-1a. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}

/** Rows that are checked together. */
const PAGE = 500;

async function* pagesOf<T>(items: AsyncIterable<T>): AsyncGenerator<readonly T[]> {
  let page: T[] = [];
  for await (const item of items) {
    if (page.push(item) < PAGE) continue;
    yield page;
    page = [];
  }
  yield page;
}

export interface ScanContext {
  readonly history: Pick<HistoryLog, "readHeads">;
  readonly set: TrainingSet;
  readonly work: WorkDir;
}

type Checked = Result<PreparedRow, readonly FieldError[]>;

/**
 * Reads the spine once: checks every row, tells of those that cannot be used, and puts what is asked
 * of each entity into the partition of its key, so that an entity's log is read once for all rows.
 */
export async function scanSpine(
  { history, set, work }: ScanContext,
  spine: string,
  told: { readonly row: () => void; readonly rejected: (rejected: Rejected) => void },
): Promise<Scanned> {
  const { startedAt, partitions } = work.manifest;
  const prepare = set.prepareFrom(startedAt);
  const paths = set.kinds.flatMap((_, kind) =>
    Array.from({ length: partitions }, (_none, i) => work.path(taskFile(kind, i))),
  );
  const declared = await readColumns(spine);
  const names = declared.map(({ name }) => name);
  if (names.length > 0) checkColumns(set, spine, names);
  const isTyped = declared.some(({ kind }) => kind !== null);
  const files = new LineWriters([...paths, work.path(ROWS)]);
  const kinds: Kinds = new Map(declared.map(({ name, kind }) => [name, kind]));
  let [rows, rejected] = [0, 0];
  for await (const page of pagesOf(readTable(spine))) {
    const checked = await checkPage(page);
    for (const [i, row] of page.entries()) {
      if (!isTyped) noteKinds(kinds, row.cells);
      const one = checked[i] as Checked;
      if (one.ok) {
        files.write(paths.length, place(one.value).join(" "));
      } else {
        rejected += 1;
        files.write(paths.length, REFUSED);
        told.rejected({ row, errors: one.error });
      }
      rows += 1;
      told.row();
    }
  }
  files.close();
  if (rows > 0) checkColumns(set, spine, [...kinds.keys()]);
  const columns = [...kinds].map(([name, kind]) => ({ name, kind }));
  return { rows, rejected, columns };

  /** Writes what the row asks of each kind of entity; answers into which partitions. */
  function place({ keys: ofViews, points, versions }: PreparedRow): readonly number[] {
    return set.kinds.map(({ views }, kind) => {
      const keys = views.map((view) => ofViews[view] ?? "");
      const { at = 0, upTo = 0, by } = points[views[0] ?? 0] ?? {};
      const partition = hashOf(keys[0] ?? "") % partitions;
      const task: Task =
        by === "version"
          ? [rows, at, null, keys, views.map((i) => [versions?.[i] ?? 0, points[i]?.upTo ?? 0])]
          : [rows, at, Number.isFinite(upTo) ? upTo : null, keys];
      files.write(kind * partitions + partition, JSON.stringify(task));
      return partition;
    });
  }

  async function checkPage(page: readonly TableRow[]): Promise<readonly Checked[]> {
    const checked: Checked[] = [];
    for (const row of page) checked.push(await check(row));
    if (set.versionColumn === null) return checked;
    const prepared = checked.flatMap((one) => (one.ok ? [one.value] : []));
    const ahead = (await findAhead(history, set, prepared)).values();
    return checked.map((one) => {
      const errors = one.ok ? (ahead.next().value ?? []) : [];
      return errors.length > 0 ? err(errors) : one;
    });
  }

  async function check(row: TableRow): Promise<Checked> {
    if (row.problem !== undefined) {
      return err([{ path: "", code: "invalid_row", detail: row.problem }]);
    }
    const asked = historyRowOf(set, row.cells);
    return asked.ok ? prepare(asked.value, "", startedAt) : asked;
  }
}

/** Pure. A refused row in words, as `spine.csv:17: at: there is no time`. */
export const rejectedText = (spine: string, { row, errors }: Rejected): string =>
  errors
    .map(({ path, detail }) => `${spine}:${row.line}: ${path === "" ? "" : `${path}: `}${detail}`)
    .join("\n");

/** Pure. A refused row as a line of JSON. */
export const rejectedLine = ({ row, errors }: Rejected): string =>
  jsonText({ line: row.line, errors, row: row.cells });
