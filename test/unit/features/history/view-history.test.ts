import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answerFrom, planRead, type ViewAnswer } from "../../../../src/features/assemble.ts";
import { addEvent, dropUnreachable } from "../../../../src/features/fold-view.ts";
import {
  planHistory,
  ViewHistory,
  type HistoryPoint,
} from "../../../../src/features/history/view-history.ts";
import type { ViewPlan } from "../../../../src/features/plan.ts";
import { recordFromText } from "../../../../src/features/source-record.ts";
import { emptyState, encodeState, openState } from "../../../../src/features/state.ts";
import {
  anyLog,
  anyPoints,
  canonicalOf,
  foldedOf,
  visibleAt,
  type Logged,
} from "../../../support/logged.ts";
import { isAnswer } from "../../../support/oracle.ts";
import { anyRichView } from "../../../support/rich-views.ts";
import { anyOrder, shuffled } from "../../../support/shuffle.ts";
import { anyView, oracleFeatures, toLogEvent } from "../../../support/views.ts";

const BASE = Date.UTC(2026, 5, 15, 13, 37, 11, 123);

const anyCase = anyLog(BASE).chain((log) => fc.tuple(fc.constant(log), anyPoints(log, BASE)));

function historyOf(plan: ViewPlan, log: readonly Logged[]): ViewHistory {
  const history = new ViewHistory(planHistory(plan), "d1");
  for (const event of log) {
    const folded = foldedOf(event);
    history.add(folded, recordFromText(folded.body));
  }
  return history;
}

/** What the online store would answer, were it given what the point sees and nothing else. */
function onlineAnswer(plan: ViewPlan, log: readonly Logged[], point: HistoryPoint): ViewAnswer {
  const state = emptyState(plan);
  for (const one of visibleAt(log, point)) {
    const event = toLogEvent(one, "d1");
    addEvent(plan, state, "d1", { event, record: recordFromText(event.body) });
  }
  dropUnreachable(plan, state);
  return answerFrom(planRead(plan, point.at), openState(encodeState(plan, state)));
}

describe("the history of a view", () => {
  it("is what a naive recomputation says, for any view, log, time and knowledge", () => {
    fc.assert(
      fc.property(anyView, anyCase, anyOrder, (plan, [log, points], order) => {
        const answers = historyOf(plan, shuffled(log, order)).answer(points);
        for (const [i, point] of points.entries()) {
          const visible = visibleAt(log, point).map(canonicalOf);
          const wrong = oracleFeatures(plan).filter(
            (feature, at) => !isAnswer(feature, visible, point.at, answers[i]?.values[at] ?? null),
          );
          expect(wrong).toEqual([]);
        }
      }),
      { numRuns: 1_500 },
    );
  });

  it("is what the online store answers of the same events, for every aggregate and window", () => {
    fc.assert(
      fc.property(anyRichView, anyCase, anyOrder, (plan, [log, points], order) => {
        const answers = historyOf(plan, shuffled(log, order)).answer(points);
        for (const [i, point] of points.entries()) {
          expect(answers[i]).toEqual(onlineAnswer(plan, log, point));
        }
      }),
      { numRuns: 1_500 },
    );
  });

  it("is the same again when it is asked again: no answer changes what is kept", () => {
    fc.assert(
      fc.property(anyRichView, anyCase, (plan, [log, points]) => {
        const history = historyOf(plan, log);
        const before = structuredClone(history.answer(points));
        history.answer(points.toReversed());
        expect(history.answer(points)).toEqual(before);
      }),
      { numRuns: 300 },
    );
  });

  it("tells an erased entity from one that nobody has heard of", () => {
    const [plan] = fc.sample(anyView, 1);
    const history = historyOf(plan as ViewPlan, []);
    const point = { at: BASE, upTo: BASE, by: "known_at" as const };
    expect(history.answer([point])[0]?.statuses[0]).toBe("NOT_FOUND");
    expect(history.answer([point], true)[0]?.statuses[0]).toBe("ERASED");
  });
});
