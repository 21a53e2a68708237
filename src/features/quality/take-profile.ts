import { parseInstant } from "../../time.ts";
import type { AggregateValue, FeatureValue } from "../aggregates/aggregate.ts";
import { answerFrom, planRead } from "../assemble.ts";
import type { FeaturePlan, ViewPlan } from "../plan.ts";
import { openStates } from "../state.ts";
import { profileNumbers } from "./number-profile.ts";
import { profileTexts } from "./text-profile.ts";
import {
  columnsOfProfile,
  type FeatureProfile,
  type ProfiledColumn,
  type ViewProfile,
} from "./view-profile.ts";

/** What is counted of a value: a number, a text, or null for a text that is not to be kept. */
type Measure = number | string | null;

/**
 * Pure. Of a number itself, of a time its age in ms, of a list its length, of a vector its norm. Of
 * personal data not even the token: only whether there is one.
 */
function measure(
  value: NonNullable<AggregateValue>,
  { asText, partials: [partial = -1] }: FeaturePlan,
  plan: ViewPlan,
  asOf: number,
): Measure {
  const field = plan.partials[partial]?.field ?? null;
  if (typeof value === "number") return value;
  if (typeof value === "boolean") return String(value);
  if (typeof value !== "string") {
    return field?.kind === "vector" ? Math.hypot(...value.map(Number)) : value.length;
  }
  if (asText) return Number(value);
  if (field?.kind === "time") {
    const instant = parseInstant(value);
    if (instant.ok) return asOf - instant.value;
  }
  return (field?.pii ?? null) === null ? value : null;
}

function profileOf(nulls: number, measures: readonly Measure[]): FeatureProfile {
  const numbers: number[] = [];
  const texts: (string | null)[] = [];
  for (const one of measures) {
    if (typeof one === "number") numbers.push(one);
    else texts.push(one);
  }
  return {
    nulls,
    values: measures.length,
    numbers: numbers.length === 0 ? null : profileNumbers(numbers),
    texts: texts.length === 0 ? null : profileTexts(texts),
  };
}

const valueOf = (value: FeatureValue, key: string | null): AggregateValue =>
  key === null
    ? (value as AggregateValue)
    : ((value as Readonly<Record<string, AggregateValue>> | null)?.[key] ?? null);

/**
 * Pure. The profile of a view at `now`, of the packed states (base64) of a sample: each feature as a
 * read then would answer it, from before defaults apply. Throws a RangeError where they are no states.
 */
export function takeProfile(view: ViewPlan, states: readonly string[], now: number): ViewProfile {
  const plan: ViewPlan = {
    ...view,
    features: view.features.map((feature) => ({ ...feature, fallback: null })),
  };
  const heads = openStates(states);
  const newest = heads.flatMap((head) => head.newest ?? []);
  const newestEvent = newest.length === 0 ? null : Math.max(...newest);
  const filled = heads.filter((head) => head.newest !== null);
  const asOf = Math.max(now, (newestEvent ?? now) + 1);
  const read = planRead(plan, asOf);
  const columns = columnsOfProfile(plan).map((column) => ({
    column,
    nulls: 0,
    measures: [] as Measure[],
  }));
  let [notFound, outsideMaxAge] = [0, 0];
  for (const head of heads) {
    const { values, statuses } = answerFrom(read, head);
    if (statuses[0] === "NOT_FOUND") notFound += 1;
    else if (statuses[0] === "OUTSIDE_MAX_AGE") outsideMaxAge += 1;
    else for (const one of columns) countIn(one, values, plan, asOf);
  }
  return {
    takenAt: now,
    entities: heads.length,
    notFound,
    outsideMaxAge,
    newestEvent,
    newestIngest: filled.length === 0 ? null : Math.max(...filled.map((head) => head.ingested)),
    ages: newest.length === 0 ? null : profileNumbers(newest.map((time) => asOf - time)),
    features: new Map(
      columns.map(({ column, nulls, measures }) => [column.name, profileOf(nulls, measures)]),
    ),
  };
}

function countIn(
  counted: { readonly column: ProfiledColumn; nulls: number; readonly measures: Measure[] },
  values: readonly FeatureValue[],
  plan: ViewPlan,
  asOf: number,
): void {
  const { index, key, feature } = counted.column;
  const value = valueOf(values[index] ?? null, key);
  if (value === null) counted.nulls += 1;
  else counted.measures.push(measure(value, feature, plan, asOf));
}
