import { describe, expect, it } from "vitest";
import { ANSWERS_KEPT_MS, forgetAnswers } from "../../../src/features/forget-answers.ts";
import { createMemoryServedAnswers } from "../../support/fakes/memory-served-answers.ts";
import { createMemoryTruth } from "../../support/fakes/memory-truth.ts";
import { loggedAnswer } from "../../support/skew.ts";
import { NOON } from "../../support/world.ts";

const OLD = NOON - ANSWERS_KEPT_MS;

describe("sampled answers", () => {
  it("are forgotten after a week", async () => {
    const servedAnswers = createMemoryServedAnswers(createMemoryTruth());
    const times = [OLD - 1, OLD, NOON];
    await servedAnswers.add(times.map((servedAt, i) => loggedAnswer({ id: `ans_${i}`, servedAt })));
    expect(await forgetAnswers({ servedAnswers, now: () => NOON })).toBe(1);
    const left = await servedAnswers.list({ tenant: "t", since: 0, before: null, limit: 9 });
    expect(left.map(({ servedAt }) => servedAt)).toEqual([NOON, OLD]);
  });

  it("are forgotten piece by piece, and no more in one run than it has time for", async () => {
    const pieces: number[] = [];
    const forget = (left: number) =>
      forgetAnswers({
        now: () => NOON,
        servedAnswers: {
          async removeBefore(time, limit) {
            expect(time).toBe(OLD);
            pieces.push(limit);
            return Math.min(limit, Math.max(0, left - (pieces.length - 1) * limit));
          },
        },
      });
    expect(await forget(4_500)).toBe(4_500);
    expect(pieces.splice(0)).toEqual([2_000, 2_000, 2_000]);
    expect(await forget(Number.POSITIVE_INFINITY)).toBe(40_000);
    expect(pieces).toHaveLength(20);
  });
});
