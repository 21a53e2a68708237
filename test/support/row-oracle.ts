import type { ViewPlan } from "../../src/features/plan.ts";
import type { RowEvent, RowImage } from "./changed-rows.ts";
import { canonicalOf } from "./logged.ts";
import { isAnswer, isWithin } from "./oracle.ts";
import { oracleFeatures } from "./views.ts";

/** The images that signed events leave, by the definition: each −1 takes one equal +1 away. */
export function netImages(events: readonly RowEvent[]): readonly RowImage[] {
  const contentOf = ({ event }: RowEvent): string =>
    JSON.stringify([event.eventTime, event.orderKey, event.body]);
  const left = events.filter(({ event }) => event.sign === 1);
  for (const one of events.filter(({ event }) => event.sign === -1)) {
    const at = left.findIndex((other) => contentOf(other) === contentOf(one));
    if (at >= 0) left.splice(at, 1);
  }
  return left.map(({ image }) => image);
}

/** What is wrong with a view's answer at an instant, given the images that count; empty if nothing. */
export function wrongOf(
  plan: ViewPlan,
  images: readonly RowImage[],
  instant: number,
  answer: { readonly values: readonly unknown[]; readonly statuses: readonly string[] } | undefined,
): readonly string[] {
  const at = plan.isInclusive ? instant + 1 : instant;
  const live = images.filter(({ time }) => time < at).map((image) => canonicalOf(image));
  const features = oracleFeatures(plan);
  const isFound = live.some(({ time }) =>
    features.some(({ window }) => isWithin(window, time, at)),
  );
  const newest = Math.max(...live.map(({ time }) => time));
  const isOld = isFound && plan.maxAgeMs !== null && newest < at - plan.maxAgeMs;
  const forced = isOld ? "OUTSIDE_MAX_AGE" : isFound ? null : "NOT_FOUND";
  const others = ["PRESENT", "NULL_VALUE"];
  return features.flatMap((feature, i) => {
    const [value, status = "none"] = [answer?.values[i], answer?.statuses[i]];
    const isStatus = forced === null ? others.includes(status) : status === forced;
    const empty = isOld ? JSON.stringify(emptied(feature.by)) === JSON.stringify(value) : null;
    const isRight = empty ?? isAnswer(feature, live, at, nulled(feature.by, value) as never);
    if (isStatus && isRight) return [];
    return [`${feature.aggregate}: ${status} ${JSON.stringify(value)}, expected ${forced}`];
  });
}

type By = ReturnType<typeof oracleFeatures>[number]["by"];

/** What stands for nothing: null, or null for each key. */
const emptied = (by: By): unknown =>
  by === null
    ? null
    : Object.fromEntries([...by.keys.map(String), "other"].map((key) => [key, null]));

/** A split value that is null as a whole is null for each key. */
const nulled = (by: By, value: unknown): unknown => (value === null ? emptied(by) : value);
