import type { ViewPlan } from "./plan.ts";
import type { AnsweredRead } from "./read-online.ts";
import type { Selection } from "./select.ts";
import type { ServedAnswer } from "./served-answers.ts";

/**
 * Pure, but for `random` (from 0 to below 1). At most `most` of the positions below `count`, every
 * choice of so many being equally likely (Floyd's algorithm: Bentley, CACM 30(9), 1987).
 */
export function pickPositions(
  count: number,
  most: number,
  random: () => number,
): readonly number[] {
  const picked = new Set<number>();
  for (let last = Math.max(0, count - most); last < count; last += 1) {
    const one = Math.floor(random() * (last + 1));
    picked.add(picked.has(one) ? last : one);
  }
  return [...picked];
}

/** A feature that is logged: which of the view's, and in which column of the answer, or −1. */
interface Logged {
  readonly feature: string;
  readonly index: number;
  readonly column: number;
}

/** The view's features that were asked for, or all where on-demand features were made of them. */
function loggedOf({ outputs, onDemand }: Selection, view: ViewPlan): readonly Logged[] {
  const feeds = onDemand.some(({ from }) => from.includes(view.name));
  return view.features.flatMap(({ name: feature }, index) => {
    const column = outputs.findIndex((one) => one.view === view.name && one.index === index);
    return feeds || column >= 0 ? [{ feature, index, column }] : [];
  });
}

/**
 * Pure. What is logged of an answer: for the entities at these positions, each view's part of it,
 * under its canonical key. Of on-demand features their inputs are logged alone; a view without a
 * version, of which nothing was known, is left out. `id` begins the ids.
 */
export function sampleAnswer(
  { tenant, service, selection, keys, ofViews, answer }: AnsweredRead,
  positions: readonly number[],
  id: string,
  servedAt: number,
): readonly ServedAnswer[] {
  const { asOf, names, results } = answer;
  const parts = selection.views.map((view) => ({ view, logged: loggedOf(selection, view) }));
  const sample: ServedAnswer[] = [];
  for (const position of positions) {
    for (const [v, { view, logged }] of parts.entries()) {
      const [key, result] = [keys[position]?.get(view.name), results[position]];
      const [version, read] = [result?.version[view.name], ofViews[v]?.[position]];
      if (!key || !result || version === undefined || !read) continue;
      const capped = logged.filter(({ index, column }) =>
        column < 0 ? read.capped.includes(index) : result.capped.includes(names[column] ?? ""),
      );
      sample.push({
        tenant,
        id: `${id}_${sample.length}`,
        service,
        view: view.name,
        entity: view.entity,
        key,
        version,
        asOf,
        servedAt,
        features: logged.map(({ feature }) => feature),
        values: logged.map(({ index, column }) =>
          column < 0 ? read.values[index] : result.values[column],
        ),
        statuses: logged.map(({ index, column }) =>
          String(column < 0 ? read.statuses[index] : result.statuses[column]),
        ),
        capped: capped.map(({ feature }) => feature),
      });
    }
  }
  return sample;
}
