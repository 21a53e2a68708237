import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { answerPoints } from "../../../../src/features/history/answer-points.ts";
import type { HistoryPoint } from "../../../../src/features/history/view-history.ts";
import {
  anyRowEvents,
  anyRowView,
  type RowEvent,
  type RowImage,
} from "../../../support/changed-rows.ts";
import { listHistory } from "../../../support/folded-rows.ts";
import { netImages, wrongOf } from "../../../support/row-oracle.ts";
import { anyOrder, shuffled } from "../../../support/shuffle.ts";

const BASE = Date.UTC(2026, 5, 15, 13, 37, 11, 123);
const DAY = 86_400_000;
const DEVICES = ["d1", "d2"] as const;

/** Points at, around and between what happened: as served, of all, of anything, or of a version. */
const anyPoint = (events: readonly RowEvent[]): fc.Arbitrary<HistoryPoint> => {
  const marks = events.flatMap(({ image: { time }, knownAt }) => [
    time - 1,
    time,
    time + 1,
    knownAt - 1,
    knownAt,
  ]);
  const instant = fc.oneof(
    fc.constantFrom(BASE, ...marks),
    fc.integer({ min: BASE - 50 * DAY, max: BASE + 50 * DAY }),
  );
  return fc.oneof(
    instant.map((at) => ({ at, upTo: at, by: "known_at" as const })),
    instant.map((at) => ({ at, upTo: Number.POSITIVE_INFINITY, by: "known_at" as const })),
    fc.tuple(instant, instant).map(([at, upTo]) => ({ at, upTo, by: "known_at" as const })),
    fc
      .tuple(instant, fc.nat({ max: events.length }))
      .map(([at, upTo]) => ({ at, upTo, by: "version" as const })),
  );
};

const anyCase = anyRowEvents(BASE).chain((events) =>
  fc.tuple(fc.constant(events), fc.array(anyPoint(events), { minLength: 1, maxLength: 12 })),
);

/**
 * Two images of a row at one time: only between versions of a log that was given an entity's past
 * after what followed on it, and of them nothing says which is the later one.
 */
const isAmbiguous = (images: readonly RowImage[]): boolean =>
  new Set(images.map(({ time, order }) => `${time} ${order}`)).size < images.length;

describe("the history of rows that change", () => {
  it("is what was left of the rows at any time, of any knowledge, in any order of the log", async () => {
    await fc.assert(
      fc.asyncProperty(
        anyRowView,
        anyCase,
        fc.option(anyOrder),
        async (plan, [events, points], order) => {
          const logs = new Map(
            DEVICES.map((key) => {
              const own = events.filter(({ device }) => device === key);
              const log = order === null ? own : shuffled(own, order);
              return [key, log.map((one, i) => ({ ...one, version: i + 1 }))];
            }),
          );
          const questions = DEVICES.flatMap((key) =>
            points.map((point) => ({ view: plan, key, point })),
          );
          const history = listHistory(logs);
          const answers = await answerPoints({ history, tenant: "t" }, questions);
          for (const [i, { key, point }] of questions.entries()) {
            const answer = answers[i];
            const log = logs.get(key) ?? [];
            const isAhead = point.by === "version" && point.upTo > log.length;
            expect("unknownVersion" in (answer ?? {})).toBe(isAhead);
            if (answer === undefined || "unknownVersion" in answer) continue;
            const seen = log.filter(
              ({ knownAt, version }) => (point.by === "version" ? version : knownAt) <= point.upTo,
            );
            const left = netImages(seen);
            if (isAmbiguous(left)) continue;
            expect(wrongOf(plan, left, point.at, answer)).toEqual([]);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});
