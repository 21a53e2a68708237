import type { FieldError } from "../../errors.ts";
import type { Vault } from "../../governance/vault.ts";
import { err, ok, type Result } from "../../result.ts";
import { keysOfRow, keysOfViews, type EntityRow, type ViewKey } from "../entity-rows.ts";
import { readRequest, type RequestOf } from "../on-demand.ts";
import type { ViewPlan } from "../plan.ts";
import type { Registry } from "../registry.ts";
import type { Selection } from "../select.ts";
import type { HistoryPoint } from "./view-history.ts";
import type { ViewVersions } from "./view-versions.ts";

/** What a value may depend on, unless a row says more: what was known at its time, or by now. */
export type Known = "as_served" | "latest";

/** One row as a client asks for it. */
export interface HistoryRow {
  readonly entity: EntityRow;
  /** The time of the values, epoch ms: events before it count, and none at it. */
  readonly at: number;
  /** Only what was known at that time counts, epoch ms. */
  readonly knownAt?: number | undefined;
  /** Only what the online answer with this `version` knew counts. */
  readonly version?: Readonly<Record<string, string>> | undefined;
  /** What on-demand features need of the request. */
  readonly request?: Readonly<Record<string, unknown>> | undefined;
}

/** A row checked: in the order of the selection's views, which entity, which point, and by which plan. */
export interface PreparedRow {
  readonly keys: readonly string[];
  readonly views: readonly ViewPlan[];
  /** The numbers of the views' versions, where the row says them. */
  readonly versions: readonly number[] | null;
  readonly points: readonly HistoryPoint[];
  readonly request: RequestOf;
}

export interface PrepareContext {
  readonly registry: Registry;
  readonly vault: Pick<Vault, "token">;
  readonly tenant: string;
  readonly selection: Selection;
  readonly versions: readonly ViewVersions[];
  readonly known: Known;
  /** What `latest` knows: events known up to this, epoch ms, or Infinity. */
  readonly latest: number;
}

/** Checks rows, one by one; `path` begins the paths of what is wrong, as `rows[0].` Nothing may be later than `now`. */
export type PrepareRow = (
  row: HistoryRow,
  path: string,
  now: number,
) => Promise<Result<PreparedRow, readonly FieldError[]>>;

/** Pure. How rows of a selection are checked. */
export function preparing(ctx: PrepareContext): PrepareRow {
  const keys: readonly ViewKey[] = keysOfViews(ctx.registry, ctx.selection.views);
  const { views, onDemand } = ctx.selection;
  return async (row, path, now) => {
    const ofRow = await keysOfRow(ctx, keys, row.entity, `${path}entity`);
    const points = pointsOf(ctx, row, path, now);
    const request = readRequest(onDemand, row.request, `${path}request`);
    const errors = [ofRow, points, request].flatMap((one) => (one.ok ? [] : one.error));
    if (!ofRow.ok || !points.ok || !request.ok) return err(errors);
    return ok({
      keys: views.map(({ name }) => ofRow.value.get(name) ?? ""),
      ...points.value,
      request: request.value,
    });
  };
}

type Pointed = Pick<PreparedRow, "points" | "views" | "versions">;

const refusal = (path: string, code: string, detail: string) => err([{ path, code, detail }]);

function pointsOf(
  ctx: PrepareContext,
  row: HistoryRow,
  path: string,
  now: number,
): Result<Pointed, readonly FieldError[]> {
  const { at, knownAt, version } = row;
  if (version !== undefined) {
    if (knownAt === undefined) return versionPoints(ctx, version, at, `${path}version`);
    const detail = "give either known_at or version: a version says itself what was known";
    return refusal(`${path}known_at`, "version_given", detail);
  }
  const upTo = knownAt ?? (ctx.known === "latest" ? ctx.latest : at);
  // What will be known by then is not known now: the same question would be answered otherwise.
  if (upTo > now && (knownAt !== undefined || ctx.known === "as_served")) {
    const detail = "nobody knows yet what will be known then; give a time that is past";
    return refusal(knownAt === undefined ? `${path}at` : `${path}known_at`, "in_future", detail);
  }
  const { views } = ctx.selection;
  return ok({ points: views.map(() => ({ at, by: "known_at", upTo })), views, versions: null });
}

/** The points of a row that names the version of an online answer. */
function versionPoints(
  { selection, versions }: PrepareContext,
  version: Readonly<Record<string, string>>,
  at: number,
  path: string,
): Result<Pointed, readonly FieldError[]> {
  const errors: FieldError[] = [];
  const given = (name: string): string | undefined =>
    Object.hasOwn(version, name) ? version[name] : undefined;
  const refuse = (name: string, code: string, detail: string): void =>
    void errors.push({ path: `${path}.${name}`, code, detail });
  const views: ViewPlan[] = [];
  const numbers: number[] = [];
  const points = selection.views.map(({ name }, i): HistoryPoint => {
    const text = given(name);
    const [, ofView = "", ofEntity = ""] = /^(\d{1,9})\.(\d{1,15})$/.exec(text ?? "") ?? [];
    if (text === undefined) {
      refuse(name, "missing_version", `the version of "${name}" is missing`);
    } else if (ofEntity === "") {
      refuse(name, "invalid_version", "expected a version as an online answer has it, as 1.17");
    } else {
      const plan = versions[i]?.plans.get(Number(ofView)) ?? "was never applied";
      if (typeof plan === "string") {
        refuse(name, "other_version", `version ${ofView} of "${name}" ${plan}`);
      } else {
        views.push(plan);
        numbers.push(Number(ofView));
      }
    }
    return { at, by: "version", upTo: Number(ofEntity) };
  });
  for (const { name, version: current } of selection.onDemand) {
    const text = given(name);
    if (text === String(current)) continue;
    if (text === undefined) {
      refuse(name, "missing_version", `the version of "${name}" is missing`);
    } else {
      const now = `"${name}" is at version ${current} now`;
      refuse(name, "other_version", `${now}; version ${text} cannot be computed any more`);
    }
  }
  return errors.length > 0 ? err(errors) : ok({ points, views, versions: numbers });
}
