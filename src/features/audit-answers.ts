import { compareAnswer, type FeatureSkew } from "./compare-answer.ts";
import type { DefinitionStore } from "./definition-store.ts";
import { answerPoints, type Answered } from "./history/answer-points.ts";
import type { HistoryLog } from "./history/history-log.ts";
import type { ViewPlan } from "./plan.ts";
import { planRegistered } from "./plan-view.ts";
import type { ServedAnswer, ServedAnswers } from "./served-answers.ts";

export interface AuditContext {
  readonly history: HistoryLog;
  readonly definitions: Pick<DefinitionStore, "listViews">;
  readonly servedAnswers: Pick<ServedAnswers, "list">;
}

export interface AuditInput {
  readonly tenants: readonly string[];
  /** Answers that were served from then on, epoch ms. */
  readonly since: number;
  /** So many of each tenant at most, the newest. */
  readonly limit: number;
  /** So many differences are shown; all are counted. */
  readonly shown: number;
  /** Told how many more answers are done. */
  readonly progress?: (answers: number) => void;
}

/**
 * Why an answer is not compared: no such version of its view was ever registered, or this engine does
 * not understand it; or it differs, and its entity has been erased since.
 */
export type NotReplayed = "unknown_view" | "not_understood" | "erased";

/** A difference, and the answer it is of. */
export interface SkewDifference extends FeatureSkew {
  readonly answer: Omit<ServedAnswer, "features" | "values" | "statuses" | "capped">;
}

/** What an audit found. An answer is that of one view and one entity. */
export interface SkewReport {
  readonly answers: number;
  readonly notReplayed: Readonly<Record<NotReplayed, number>>;
  /** Compared, of the answers that were replayed. */
  readonly values: number;
  readonly mismatched: number;
  readonly missing: number;
  readonly extra: number;
  /** The first of them. */
  readonly differences: readonly SkewDifference[];
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
interface Tally extends Mutable<Omit<SkewReport, "notReplayed" | "differences">> {
  readonly notReplayed: Record<NotReplayed, number>;
  readonly differences: SkewDifference[];
}

/** Answers that are replayed at once: each of their entities' logs is read once. */
const PAGE = 1_000;

/**
 * Replays logged online answers from history by their (as_of, version), which must give the same
 * values, statuses and bounds, and reports where it does not: those of every version of a view that
 * was ever in use, since its specification is all that it takes. Reads alone. Throws AppError
 * `dependency_unavailable`.
 */
export async function auditAnswers(ctx: AuditContext, input: AuditInput): Promise<SkewReport> {
  const notReplayed = { unknown_view: 0, not_understood: 0, erased: 0 };
  const counts = { answers: 0, values: 0, mismatched: 0, missing: 0, extra: 0 };
  const tally: Tally = { ...counts, notReplayed, differences: [] };
  const plans = new Map(
    (await ctx.definitions.listViews()).map((one) => [
      versionText(one.name, String(one.version)),
      planRegistered(one),
    ]),
  );
  for (const tenant of input.tenants) {
    let before: string | null = null;
    for (let left = input.limit; left > 0;) {
      const limit = Math.min(PAGE, left);
      const page: readonly ServedAnswer[] = await ctx.servedAnswers.list({
        tenant,
        since: input.since,
        before,
        limit,
      });
      await auditPage(ctx, { tenant, page, plans, tally, shown: input.shown });
      input.progress?.(page.length);
      before = page.at(-1)?.id ?? null;
      left = page.length < limit ? 0 : left - limit;
    }
  }
  return tally;
}

interface Page {
  readonly tenant: string;
  readonly page: readonly ServedAnswer[];
  /** By versionText; null for what is not understood. */
  readonly plans: ReadonlyMap<string, ViewPlan | null>;
  readonly tally: Tally;
  readonly shown: number;
}

interface Replay {
  readonly served: ServedAnswer;
  readonly view: ViewPlan;
  readonly entityVersion: number;
}

async function auditPage(
  { history }: AuditContext,
  { tenant, page, plans, tally, shown }: Page,
): Promise<void> {
  tally.answers += page.length;
  const replays: Replay[] = [];
  for (const served of page) {
    const replay = replayOf(plans, served);
    if (typeof replay === "string") tally.notReplayed[replay] += 1;
    else replays.push(replay);
  }
  const questions = replays.map(({ served: { key, asOf: at }, view, entityVersion: upTo }) => ({
    view,
    key,
    point: { at, by: "version" as const, upTo },
  }));
  const answers = await answerPoints({ history, tenant }, questions);
  const compared = replays.map(({ served, view }, i) => ({
    served,
    view,
    skews: compareAnswer(served, view, answers[i] as Answered),
  }));
  const differing = compared.filter(({ skews }) => skews.length > 0);
  const erased = await findErased(history, tenant, differing);
  for (const { served, view, skews } of compared) {
    if (skews.length > 0 && erased.has(entityOf(view, served))) {
      tally.notReplayed.erased += 1;
      continue;
    }
    tally.values += served.features.length;
    const { features: _f, values: _v, statuses: _s, capped: _c, ...answer } = served;
    for (const skew of skews) {
      tally[skew.skew] += 1;
      if (tally.differences.length < shown) tally.differences.push({ ...skew, answer });
    }
  }
}

const versionText = (view: string, version: string): string => `${view}@${version}`;

/** How an answer is replayed, or why it is not. */
function replayOf(plans: Page["plans"], served: ServedAnswer): Replay | NotReplayed {
  const [ofView = "", ofEntity] = served.version.split(".");
  const view = plans.get(versionText(served.view, ofView));
  if (view === undefined) return "unknown_view";
  return view === null ? "not_understood" : { served, view, entityVersion: Number(ofEntity ?? 0) };
}

const entityOf = ({ entity }: ViewPlan, { key }: ServedAnswer): string => `${entity}\0${key}`;

/** Those of the answers' entities that were erased, whatever they did afterwards. */
async function findErased(
  history: HistoryLog,
  tenant: string,
  answers: readonly Pick<Replay, "served" | "view">[],
): Promise<ReadonlySet<string>> {
  const erased = new Set<string>();
  for (const [entity, own] of Map.groupBy(answers, ({ view }) => view.entity)) {
    const keys = [...new Set(own.map(({ served }) => served.key))];
    const heads = await history.readHeads(tenant, entity, keys);
    for (const [i, key] of keys.entries()) {
      if (heads[i]?.erased === true) erased.add(`${entity}\0${key}`);
    }
  }
  return erased;
}
