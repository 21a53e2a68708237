import type { FeatureValue } from "../../src/features/aggregates/aggregate.ts";
import type { ViewPlan } from "../../src/features/plan.ts";
import type { SqlRow } from "../../src/platform/neon/sql-client.ts";

/** A mean is rounded once by us and digit by digit by SQL. */
const ROUNDING = 1e-9;
/** Five standard errors of a sketch of 128 registers. */
const SKETCH = 0.46;

/** Pure. Whether features are what SQL found: sketches about, means but for the last digits. */
export const isSameAnswer = (
  { features }: ViewPlan,
  values: readonly FeatureValue[],
  answer: SqlRow,
): boolean =>
  features.every(({ name, fallback }, i) => {
    const tolerance = name.startsWith("merchants") ? SKETCH : ROUNDING;
    return isSame(values[i] ?? null, answer[name] ?? (fallback as SqlRow[string]), tolerance);
  });

function isSame(value: FeatureValue, found: SqlRow[string], tolerance: number): boolean {
  if (value === null || found === null) return value === found;
  const [a, b] = [Number(value), Number(found)];
  if (Number.isNaN(a) || Number.isNaN(b)) return value === found;
  return Math.abs(a - b) <= tolerance * Math.abs(b);
}
