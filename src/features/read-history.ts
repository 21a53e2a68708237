import { AppError, type FieldError } from "../errors.ts";
import type { Vault } from "../governance/vault.ts";
import { err, ok, type Result } from "../result.ts";
import { columnsOf, type RowAnswer } from "./columns.ts";
import type { DefinitionStore } from "./definition-store.ts";
import { answerPoints, type Answered } from "./history/answer-points.ts";
import type { HistoryLog } from "./history/history-log.ts";
import { viewVersions, type ViewVersions } from "./history/view-versions.ts";
import { preparing, type HistoryRow, type Known, type PreparedRow } from "./history/prepare-row.ts";
import { NOT_APPLIED } from "./read-online.ts";
import type { ViewPlan } from "./plan.ts";
import type { Registry } from "./registry.ts";
import { selectFeatures, type Asked, type Selection } from "./select.ts";

export interface ReadHistoryContext {
  readonly registry: Registry;
  readonly history: HistoryLog;
  readonly definitions: Pick<DefinitionStore, "listViews">;
  readonly vault: Pick<Vault, "token">;
  readonly now: () => number;
}

export interface HistoryRequest extends Asked {
  readonly tenant: string;
  /** `as_served` where nothing is said. */
  readonly known?: Known | undefined;
}

/** Rows that were computed, or refused with every reason, in their order. */
export interface HistoryRows {
  readonly rows: readonly Result<RowAnswer, readonly FieldError[]>[];
  /** Names of on-demand features whose function failed on some row. */
  readonly degraded: readonly string[];
}

/** A history that is asked for, to be read row by row. */
export interface HistoryReader {
  /** `view:feature`, in the order of the values. */
  readonly names: readonly string[];
  /** Computes rows; `pathOf` names each in the paths of what is refused, as `rows[0].` */
  read(rows: readonly HistoryRow[], pathOf: (index: number) => string): Promise<HistoryRows>;
}

/**
 * The versions of the selection's views. Throws AppError `dependency_unavailable` where one was never
 * applied or is still being built: its entities may lack past events.
 */
export async function appliedVersions(
  definitions: Pick<DefinitionStore, "listViews">,
  selection: Selection,
): Promise<readonly ViewVersions[]> {
  return viewVersions(selection, await definitions.listViews()).map((versions) => {
    if (versions === null) throw new AppError("dependency_unavailable", NOT_APPLIED);
    return versions;
  });
}

/**
 * Begins to read history: what features were at any time, of what was known at any time, computed
 * from the log by the code that serves. Throws AppError `not_found` or `unprocessable` for what the
 * request names, `dependency_unavailable` where a view is not applied.
 */
export async function openHistory(
  ctx: ReadHistoryContext,
  request: HistoryRequest,
): Promise<HistoryReader> {
  const { tenant, known = "as_served" } = request;
  const selection = selectFeatures(ctx.registry, request);
  const versions = await appliedVersions(ctx.definitions, selection);
  const columns = columnsOf(selection);
  const latest = Number.POSITIVE_INFINITY;
  const prepare = preparing({ ...ctx, tenant, selection, versions, known, latest });
  return {
    names: columns.names,
    async read(rows, pathOf) {
      const now = ctx.now();
      const prepared: Result<PreparedRow, readonly FieldError[]>[] = [];
      for (const [i, row] of rows.entries()) {
        prepared.push(await prepare(row, pathOf(i), now));
      }
      const questions = prepared.flatMap((row) => (row.ok ? questionsOf(row.value) : []));
      const answers = await answerPoints({ history: ctx.history, tenant }, questions);
      const failed = new Set<string>();
      let next = 0;
      const answered = prepared.map((row, i): Result<RowAnswer, readonly FieldError[]> => {
        if (!row.ok) return row;
        const ofRow = answers.slice(next, (next += selection.views.length));
        const errors = aheadOf(ofRow, selection.views, `${pathOf(i)}version`);
        if (errors.length > 0) return err(errors);
        const ofViews = ofRow.flatMap((one) => ("unknownVersion" in one ? [] : [one]));
        return ok(columns.assemble(ofViews, row.value.request, failed));
      });
      return { rows: answered, degraded: [...failed] };
    },
  };
}

const questionsOf = ({ keys, points, views }: PreparedRow) =>
  views.flatMap((view, i) => {
    const [key, point] = [keys[i], points[i]];
    return key === undefined || point === undefined ? [] : [{ view, key, point }];
  });

/** What is wrong with a row that names versions which the entity does not have. */
function aheadOf(
  ofRow: readonly Answered[],
  views: readonly ViewPlan[],
  path: string,
): readonly FieldError[] {
  return ofRow.flatMap((one, i) => {
    if (!("unknownVersion" in one)) return [];
    const detail = `the entity does not have version ${one.unknownVersion} yet`;
    return [{ path: `${path}.${views[i]?.name}`, code: "unknown_version", detail }];
  });
}

/**
 * The history of up to 1,000 rows. Throws what openHistory throws, and AppError `unprocessable` that
 * names what is wrong with rows.
 */
export async function readHistory(
  ctx: ReadHistoryContext,
  request: HistoryRequest & { readonly rows: readonly HistoryRow[] },
): Promise<{
  readonly names: readonly string[];
  readonly rows: readonly RowAnswer[];
  readonly degraded: readonly string[];
}> {
  const reader = await openHistory(ctx, request);
  const { rows, degraded } = await reader.read(request.rows, (i) => `rows[${i}].`);
  const errors = rows.flatMap((row) => (row.ok ? [] : row.error)).slice(0, 20);
  if (errors.length > 0) {
    throw new AppError("unprocessable", "some rows cannot be computed", { errors });
  }
  return {
    names: reader.names,
    rows: rows.flatMap((row) => (row.ok ? [row.value] : [])),
    degraded,
  };
}
