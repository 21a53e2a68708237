import type { FieldError } from "../../src/errors.ts";
import type { PreparedRow } from "../../src/features/history/prepare-row.ts";
import type { Result } from "../../src/result.ts";
import { err } from "../../src/result.ts";
import { noteKinds, type Kinds } from "../tables/kind.ts";
import { readTable } from "../tables/read-table.ts";
import { jsonText, type TableRow } from "../tables/table.ts";
import { LineWriters } from "./partition-files.ts";
import { historyRowOf } from "./spine-row.ts";
import type { TrainingSet } from "./training-set.ts";
import type { Scanned, WorkDir } from "./work-dir.ts";

/** What is asked of one kind of entity for one row: `upTo` null is all, a key for each view. */
export type Task = readonly [row: number, at: number, upTo: number | null, keys: readonly string[]];

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

/**
 * Reads the spine once: checks every row, tells of those that cannot be used, and puts what is asked
 * of each entity into the partition of its key, so that an entity's log is read once for all rows.
 */
export async function scanSpine(
  set: TrainingSet,
  spine: string,
  work: WorkDir,
  told: { readonly row: () => void; readonly rejected: (rejected: Rejected) => void },
): Promise<Scanned> {
  const { startedAt, partitions } = work.manifest;
  const prepare = set.prepareFrom(startedAt);
  const paths = set.kinds.flatMap((_, kind) =>
    Array.from({ length: partitions }, (_none, i) => work.path(taskFile(kind, i))),
  );
  const files = new LineWriters([...paths, work.path(ROWS)]);
  const kinds: Kinds = new Map();
  let [rows, rejected] = [0, 0];
  for await (const row of readTable(spine)) {
    noteKinds(kinds, row.cells);
    const prepared = await check(row);
    if (prepared.ok) {
      const places = set.kinds.map(({ views }, kind) => {
        const keys = views.map((view) => prepared.value.keys[view] ?? "");
        const { at = 0, upTo = 0 } = prepared.value.points[views[0] ?? 0] ?? {};
        const partition = hashOf(keys[0] ?? "") % partitions;
        const task: Task = [rows, at, Number.isFinite(upTo) ? upTo : null, keys];
        files.write(kind * partitions + partition, JSON.stringify(task));
        return partition;
      });
      files.write(paths.length, places.join(" "));
    } else {
      rejected += 1;
      files.write(paths.length, REFUSED);
      told.rejected({ row, errors: prepared.error });
    }
    rows += 1;
    told.row();
  }
  files.close();
  const columns = [...kinds].map(([name, kind]) => ({ name, kind }));
  return { rows, rejected, columns };

  async function check(row: TableRow): Promise<Result<PreparedRow, readonly FieldError[]>> {
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
