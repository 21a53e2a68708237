import { instantOf, type ViewAnswer } from "../assemble.ts";
import type { ViewPlan } from "../plan.ts";
import { recordFromText } from "../source-record.ts";
import { windowStart } from "../window.ts";
import type { EntityHead, HistoryLog, LogFilter } from "./history-log.ts";
import type { MergePlan } from "./merge-state.ts";
import { readLogs } from "./read-logs.ts";
import { planHistory, ViewHistory, type HistoryPoint } from "./view-history.ts";

/** A view of one entity at one point. */
export interface Question {
  readonly view: ViewPlan;
  /** The entity's canonical key. */
  readonly key: string;
  readonly point: HistoryPoint;
}

/** The answer, or that the entity does not have that version yet. */
export type Answered = ViewAnswer | { readonly unknownVersion: number };

export interface AnswerContext {
  readonly history: HistoryLog;
  readonly tenant: string;
}

/** Of the records in one answer, of which two are held at once. */
const PAGE_BYTES = 4 * 2 ** 20;
/** Entities that are asked for in one statement. */
const PAGE_KEYS = 2_000;

/** What is asked of one entity: positions of its questions, by view. */
interface Asked {
  readonly entity: string;
  readonly key: string;
  readonly byView: Map<ViewPlan, number[]>;
}

function group<K, V>(into: Map<K, V>, key: K, make: () => V): V {
  const known = into.get(key);
  if (known !== undefined) return known;
  const made = make();
  into.set(key, made);
  return made;
}

/** A question of an inclusive view, as one of an exclusive. */
function exclusive(question: Question): Question {
  const { view, point } = question;
  if (!view.isInclusive) return question;
  return { ...question, point: { ...point, at: instantOf(view, point.at) } };
}

/** Questions by kind of entity, and by key within. */
function groupQuestions(questions: readonly Question[]): Map<string, Map<string, Asked>> {
  const kinds = new Map<string, Map<string, Asked>>();
  for (const [i, { view, key }] of questions.entries()) {
    const keys = group(kinds, view.entity, () => new Map<string, Asked>());
    const make = (): Asked => ({ entity: view.entity, key, byView: new Map() });
    group(group(keys, key, make).byView, view, (): number[] => []).push(i);
  }
  return kinds;
}

/**
 * The events that any answer depends on: of the views' sources, and within what the windows reach.
 * What is older than every window neither changes a value nor makes an entity found.
 */
function filterOf(views: readonly ViewPlan[], points: readonly HistoryPoint[]): LogFilter {
  let [earliest, latest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { at } of points) {
    if (at < earliest) earliest = at;
    if (at > latest) latest = at;
  }
  const windows = views.flatMap(({ presence }) => presence.windows);
  return {
    sources: [...new Set(views.map(({ sourceId }) => sourceId))],
    from: Math.min(...windows.map((window) => windowStart(window, earliest))),
    before: latest,
  };
}

/**
 * Answers questions about any entities from the log: each entity's events are read once, a page for
 * many of them, and forgotten when it is answered. In the order of the questions. Throws AppError
 * `dependency_unavailable`.
 */
export async function answerPoints(
  ctx: AnswerContext,
  asked: readonly Question[],
): Promise<readonly Answered[]> {
  const questions = asked.map(exclusive);
  const answers: Answered[] = [];
  const plans = new Map<ViewPlan, MergePlan>();
  for (const [entity, keys] of groupQuestions(questions)) {
    // In the order of the keys, as the log's index has them.
    const ofKind = [...keys.values()].toSorted((a, b) => (a.key < b.key ? -1 : 1));
    for (let from = 0; from < ofKind.length; from += PAGE_KEYS) {
      const page = ofKind.slice(from, from + PAGE_KEYS);
      await answerEntities(ctx, { entity, asked: page, questions, answers, plans });
    }
  }
  return answers;
}

interface Work {
  readonly entity: string;
  readonly asked: readonly Asked[];
  readonly questions: readonly Question[];
  readonly answers: Answered[];
  readonly plans: Map<ViewPlan, MergePlan>;
}

async function answerEntities({ history, tenant }: AnswerContext, work: Work): Promise<void> {
  const { entity, asked, questions, plans } = work;
  const keys = asked.map(({ key }) => key);
  const heads = await history.readHeads(tenant, entity, keys);
  const byKey = new Map(asked.map((one, i) => [one.key, { one, head: heads[i] as EntityHead }]));
  const positions = asked.flatMap(({ byView }) => [...byView.values()].flat());
  const views = [...new Set(asked.flatMap(({ byView }) => [...byView.keys()]))];
  const reach = filterOf(
    views,
    positions.map((i) => (questions[i] as Question).point),
  );
  // An erased entity answers otherwise where it has old events than where it has none.
  const isAnyErased = heads.some(({ erased }) => erased);
  const filter = isAnyErased ? { ...reach, from: Number.NEGATIVE_INFINITY } : reach;
  const logs = asked.map(({ key }, i) => ({ key, version: heads[i]?.version ?? 0 }));
  const parts = readLogs(
    (slices) => history.readEvents(tenant, entity, slices, filter, PAGE_BYTES),
    logs,
  );
  const historiesOf = ({ key, byView }: Asked): readonly ViewHistory[] =>
    [...byView.keys()].map(
      (view) =>
        new ViewHistory(
          group(plans, view, () => planHistory(view)),
          key,
        ),
    );
  // An entity may go on over many pages.
  let openKey: string | null = null;
  let histories: readonly ViewHistory[] = [];
  for await (const { key, events, isLast } of parts) {
    const found = byKey.get(key);
    if (found === undefined) continue;
    if (openKey !== key) histories = historiesOf(found.one);
    openKey = key;
    for (const event of events) {
      const record = recordFromText(event.body);
      for (const one of histories) one.add(event, record);
    }
    if (!isLast) continue;
    answerEntity(work, found.one, found.head, histories);
    byKey.delete(key);
  }
  // Those that were never folded are in no page.
  for (const { one, head } of byKey.values()) answerEntity(work, one, head, historiesOf(one));
}

function answerEntity(
  { questions, answers }: Work,
  { byView }: Asked,
  head: EntityHead,
  histories: readonly ViewHistory[],
): void {
  for (const [n, positions] of [...byView.values()].entries()) {
    const points = positions.map((i) => (questions[i] as Question).point);
    const ofView = histories[n]?.answer(points, head.erased) ?? [];
    for (const [j, i] of positions.entries()) {
      const { by, upTo } = points[j] as HistoryPoint;
      const isAhead = by === "version" && upTo > head.version && !head.erased;
      answers[i] = isAhead ? { unknownVersion: upTo } : (ofView[j] as ViewAnswer);
    }
  }
}
