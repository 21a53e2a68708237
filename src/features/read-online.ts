import { AppError } from "../errors.ts";
import type { Vault } from "../governance/vault.ts";
import type { FeatureValue } from "./aggregates/aggregate.ts";
import {
  answerFrom,
  answerWithout,
  planRead,
  type ReadPlan,
  type Status,
  type ViewAnswer,
} from "./assemble.ts";
import { columnsOf } from "./columns.ts";
import { readRequests } from "./on-demand.ts";
import { keysOfRows, type EntityRow } from "./entity-rows.ts";
import type { Meta, OnlineRead, OnlineState, StateKey, StateReader } from "./online-store.ts";
import type { ViewPlan } from "./plan.ts";
import type { Registry } from "./registry.ts";
import { selectFeatures, type Asked, type Selection } from "./select.ts";
import { openStates, type StateHead } from "./state.ts";

export interface ReadOnlineContext {
  readonly registry: Registry;
  readonly online: StateReader;
  readonly vault: Pick<Vault, "token">;
  readonly now: () => number;
  /** What to do while the online store is being filled: refuse, or answer and say so. */
  readonly whenIncomplete: "unavailable" | "degraded";
  /** Asked in its place while the online store is being filled or does not answer, where given. */
  readonly truth?: StateReader;
  /** Called with the tenant's meta before anything is answered; may throw. */
  readonly checkMeta?: (meta: Meta) => void;
  /** Told of every answer; must be quick, and not throw. */
  readonly answered?: (read: AnsweredRead) => void;
}

export interface ReadOnlineInput extends Asked {
  readonly tenant: string;
  readonly entities: readonly EntityRow[];
  /** Per entity, what on-demand features need of the request. */
  readonly request?: readonly Readonly<Record<string, unknown>>[] | undefined;
  /** Replaces the clock; only where the caller may do that. Epoch ms. */
  readonly asOf?: number | undefined;
}

export interface OnlineResult {
  readonly entity: EntityRow;
  /** In the order of the answer's names. */
  readonly values: readonly FeatureValue[];
  readonly statuses: readonly Status[];
  /** Names of the features whose value is a bound that was reached: the truth is more. */
  readonly capped: readonly string[];
  /** Per view: view version and entity version; per on-demand view: its version. */
  readonly version: Readonly<Record<string, string>>;
  /** Milliseconds since the latest event in these features was taken in; null where none was. */
  readonly freshnessMs: number | null;
}

export interface OnlineAnswer {
  /** The instant at which all features are computed, epoch ms. */
  readonly asOf: number;
  readonly names: readonly string[];
  readonly results: readonly OnlineResult[];
  /** What is not as it should be; empty when all is well. */
  readonly degraded: readonly string[];
}

/** An online answer, and what it was read by. */
export interface AnsweredRead {
  readonly tenant: string;
  /** The service that was asked for; null where features were named. */
  readonly service: string | null;
  readonly selection: Selection;
  /** Per entity, its canonical key in each view. */
  readonly keys: readonly ReadonlyMap<string, string>[];
  /** Per view of the selection and entity, all of its features. */
  readonly ofViews: readonly (readonly ViewAnswer[])[];
  readonly answer: OnlineAnswer;
}

/** What is said of a view that is in the definitions and cannot be trusted yet. */
export const NOT_APPLIED =
  "the definitions of this deployment are not applied, or still being built: run `npm run apply`";

/** An entity's state in one view, opened. */
interface Opened {
  readonly state: OnlineState | null;
  readonly head: StateHead | null;
}

/** Distinct states of all rows, and where each row finds its own. */
function stateKeys(
  tenant: string,
  views: readonly ViewPlan[],
  rows: readonly ReadonlyMap<string, string>[],
) {
  const keys: StateKey[] = [];
  const positions = views.map(({ name, stateId }) => {
    const at = new Map<string, number>();
    return rows.map((row) => {
      const key = row.get(name) ?? "";
      const known = at.get(key);
      if (known !== undefined) return known;
      at.set(key, keys.length);
      keys.push({ tenant, stateId, key });
      return keys.length - 1;
    });
  });
  return { keys, positions };
}

/** Version numbers of the views; refuses where the store is not filled or the views not applied. */
function checkMeta(ctx: ReadOnlineContext, read: OnlineRead, views: readonly ViewPlan[]) {
  const { meta } = read;
  if (meta === null) {
    if (ctx.whenIncomplete === "degraded") return null;
    throw new AppError("dependency_unavailable", "the online store is being filled; try again", {
      retryAfterSeconds: 5,
    });
  }
  ctx.checkMeta?.(meta);
  return views.map(({ name, specHash }) => {
    const version = meta.views[name]?.[specHash];
    if (version === undefined) throw new AppError("dependency_unavailable", NOT_APPLIED);
    return version;
  });
}

/** What a read found, and what is said of how it was found. */
interface Found extends OnlineRead {
  readonly degraded: readonly string[];
}

const isDown = (error: unknown): boolean =>
  error instanceof AppError &&
  (error.code === "dependency_unavailable" || error.code === "timeout");

/** From the online store, or where that is empty or down from the truth, if there is leave. */
async function readStates(
  { online, truth }: Pick<ReadOnlineContext, "online" | "truth">,
  tenant: string,
  keys: readonly StateKey[],
): Promise<Found> {
  if (truth === undefined) {
    const read = await online.read(tenant, keys);
    return { ...read, degraded: read.meta === null ? ["online_store_incomplete"] : [] };
  }
  const read = await online.read(tenant, keys).catch((error: unknown) => {
    if (isDown(error)) return null;
    throw error;
  });
  if (read !== null && read.meta !== null) return { ...read, degraded: [] };
  return { ...(await truth.read(tenant, keys)), degraded: ["online_store_bypassed"] };
}

function openAll(states: OnlineRead["states"]): readonly Opened[] {
  const heads = openStates(states.flatMap((state) => (state?.kind === "state" ? state.bytes : [])));
  let next = 0;
  return states.map((state) => ({
    state,
    head: state?.kind === "state" ? (heads[next++] ?? null) : null,
  }));
}

/**
 * One past the horizon of any state read, or now if that is later: no event of the answer lies
 * at or after it, so that open tiles are taken whole and history gives the same values.
 */
function asOfAll(now: number, opened: readonly Opened[]): number {
  let asOf = now;
  for (const { head } of opened) {
    if (head !== null && head.horizon !== null && head.horizon >= asOf) asOf = head.horizon + 1;
  }
  return asOf;
}

function answerView(read: ReadPlan, { state, head }: Opened, complete: boolean): ViewAnswer {
  if (head !== null) return answerFrom(read, head);
  if (state?.kind === "erased") return answerWithout(read.plan, "ERASED");
  const answer = answerWithout(read.plan, "NOT_FOUND");
  if (complete) return answer;
  // An entity that is not in a half-filled store may well exist: nothing is known, not even 0.
  return {
    values: answer.values.map(() => null),
    statuses: answer.statuses.map(() => "NULL_VALUE"),
    capped: [],
  };
}

/**
 * The current features of up to 1,000 entities, in one round trip to the online store and none to
 * the truth, but for one where that answers in its place. Throws AppError `not_found` or
 * `unprocessable` for what the request names, `dependency_unavailable` where the store cannot be
 * trusted.
 */
export async function readOnline(
  ctx: ReadOnlineContext,
  input: ReadOnlineInput,
): Promise<OnlineAnswer> {
  const selection = selectFeatures(ctx.registry, input);
  const requests = readRequests(selection.onDemand, input.request, input.entities.length);
  const rows = await keysOfRows({ ...ctx, tenant: input.tenant }, selection.views, input.entities);
  const { keys, positions } = stateKeys(input.tenant, selection.views, rows);
  const read = await readStates(ctx, input.tenant, keys);
  const versions = checkMeta(ctx, read, selection.views);
  const opened = openAll(read.states);
  const asOf = asOfAll(input.asOf ?? ctx.now(), opened);
  const answers = selection.views.map((plan, i) => {
    const readPlan = planRead(plan, asOf);
    const distinct = new Map<number, ViewAnswer>();
    return (positions[i] ?? []).map((at) => {
      const known =
        distinct.get(at) ?? answerView(readPlan, stateAt(opened, at), versions !== null);
      distinct.set(at, known);
      return known;
    });
  });
  const failed = new Set<string>();
  const columns = columnsOf(selection);
  const results = input.entities.map((entity, row): OnlineResult => {
    const states = positions.map((position) => stateAt(opened, position[row] ?? -1));
    const ofViews = answers.map((ofView) => ofView[row]);
    return {
      entity,
      ...columns.assemble(ofViews, requests[row], failed),
      version: versionsOf(selection, versions, states),
      freshnessMs: freshness(asOf, states),
    };
  });
  const answer: OnlineAnswer = {
    asOf,
    names: columns.names,
    results,
    degraded: [...read.degraded, ...failed],
  };
  const { tenant, service = null } = input;
  ctx.answered?.({ tenant, service, selection, keys: rows, ofViews: answers, answer });
  return answer;
}

function stateAt(opened: readonly Opened[], at: number): Opened {
  return opened[at] ?? { state: null, head: null };
}

function versionsOf(
  selection: Selection,
  versions: readonly number[] | null,
  states: readonly Opened[],
): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const [i, { name }] of selection.views.entries()) {
    if (versions !== null) texts[name] = `${versions[i]}.${states[i]?.state?.version ?? 0}`;
  }
  for (const { name, version } of selection.onDemand) texts[name] = String(version);
  return texts;
}

function freshness(asOf: number, states: readonly Opened[]): number | null {
  let latest: number | null = null;
  for (const { head } of states) {
    if (head !== null && head.newest !== null) latest = Math.max(latest ?? 0, head.ingested);
  }
  return latest === null ? null : Math.max(0, asOf - latest);
}
