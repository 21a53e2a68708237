import { UsageError } from "../args.ts";
import { formatOf } from "../tables/table.ts";
import type { TrainingSet } from "./training-set.ts";

const quoted = (names: readonly string[]): string => names.map((name) => `"${name}"`).join(", ");

const SEPARATORS = [
  [";", "semicolons"],
  ["\t", "tabs"],
] as const;

/** Pure. What the names of columns say of a table that is not separated by commas. */
function separatorHint(spine: string, names: readonly string[]): string {
  if (formatOf(spine) !== "csv") return "";
  const found = SEPARATORS.find(([one]) => names.some((name) => name.includes(one)));
  return found === undefined ? "" : ` They seem to be separated by ${found[1]}: save with commas.`;
}

/**
 * Pure. Throws a UsageError where a spine of these columns lacks some that every row needs: their
 * times, the keys of entities, what on-demand features need.
 */
export function checkColumns(
  {
    atColumn,
    keyColumns,
    neededOfRequest,
    versionColumn,
  }: Pick<TrainingSet, "atColumn" | "keyColumns" | "neededOfRequest" | "versionColumn">,
  spine: string,
  names: readonly string[],
): void {
  const needed = [atColumn, ...keyColumns, ...neededOfRequest];
  const missing = [...needed, ...(versionColumn === null ? [] : [versionColumn])].filter(
    (name) => !names.includes(name),
  );
  if (missing.length === 0) return;
  const columns = missing.length === 1 ? "the column" : "the columns";
  const other = missing.includes(atColumn) ? " Its column of times is named with --at." : "";
  throw new UsageError(
    `${spine} lacks ${columns} ${quoted(missing)}; it has ${quoted(names)}.` +
      other +
      separatorHint(spine, names),
  );
}
