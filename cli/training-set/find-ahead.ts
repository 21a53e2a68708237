import type { FieldError } from "../../src/errors.ts";
import type { HistoryLog } from "../../src/features/history/history-log.ts";
import type { PreparedRow } from "../../src/features/history/prepare-row.ts";
import type { TrainingSet } from "./training-set.ts";

/**
 * Of each row, what is wrong with the versions that it names: those that its entities do not have
 * yet. One round trip for each kind of entity of which versions are named.
 */
export async function findAhead(
  history: Pick<HistoryLog, "readHeads">,
  { tenant, kinds, selection }: Pick<TrainingSet, "tenant" | "kinds" | "selection">,
  rows: readonly PreparedRow[],
): Promise<readonly (readonly FieldError[])[]> {
  const errors = rows.map((): FieldError[] => []);
  for (const { entity, views } of kinds) {
    const named = rows.flatMap(({ keys, points }, row) =>
      views.flatMap((view) => {
        const point = points[view];
        return point?.by === "version" ? [{ row, view, key: keys[view] ?? "", point }] : [];
      }),
    );
    const keys = [...new Set(named.map(({ key }) => key))];
    if (keys.length === 0) continue;
    const found = await history.readHeads(tenant, entity, keys);
    const heads = new Map(keys.map((key, i) => [key, found[i]]));
    for (const { row, view, key, point } of named) {
      const { version = 0, erased = false } = heads.get(key) ?? {};
      if (point.upTo <= version || erased) continue;
      errors[row]?.push({
        path: `version.${selection.views[view]?.name}`,
        code: "unknown_version",
        detail: `the entity does not have version ${point.upTo} yet`,
      });
    }
  }
  return errors;
}
