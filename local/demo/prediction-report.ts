import type { Judged, Proposed } from "./ask-model.ts";
import { shownValue } from "./report.ts";
import type { Prediction } from "./shop-api.ts";
import { table } from "./words.ts";

/** Inputs that are shown one by one. */
const SHOWN = 6;

/** Pure. What the model says of a customer's payments, and the inputs that tell them apart most. */
export function predictionLines(customerId: string, { asked, answer }: Judged): readonly string[] {
  const { model, predictions } = answer;
  const added = (one: Prediction, i: number): number => one.contributions?.[i]?.contribution ?? 0;
  const features = predictions[0]?.contributions ?? [];
  const order = features
    .map((_, i) => ({ i, spread: spreadOf(predictions.map((one) => added(one, i))) }))
    .toSorted((a, b) => b.spread - a.spread)
    .map(({ i }) => i);
  const [first, rest] = [order.slice(0, SHOWN), order.slice(SHOWN)];
  const restOf = (one: Prediction): number => rest.reduce((sum, i) => sum + added(one, i), 0);
  const defaulted = new Set(predictions.flatMap(({ degraded }) => degraded));
  return [
    `Before a payment is approved: what the model "${model.name}" says of two by customer ` +
      `${customerId}, and why`,
    ...table([
      ["payment", ...asked.flatMap((one) => [paymentText(one), "adds to log-odds"])],
      [
        "probability of fraud",
        ...predictions.flatMap((one) => [chance(one), `→ ${one.label ?? "no answer"}`]),
      ],
      ...first.map((i) => [
        features[i]?.feature ?? "",
        ...predictions.flatMap((one) => [
          shownValue(one.contributions?.[i]?.value ?? null),
          signed(added(one, i)),
        ]),
      ]),
      [
        rest.length === 0 ? "base" : `base and ${rest.length} more`,
        ...predictions.flatMap((one) => ["", signed(restOf(one) + (one.base ?? 0))]),
      ],
    ]),
    ...(defaulted.size > 0
      ? [`  missing, the model's default taken: ${[...defaulted].toSorted().join(", ")}`]
      : []),
  ];
}

const paymentText = ({ amount, country }: Proposed): string =>
  `${amount.toFixed(2)} from ${country}`;

const spreadOf = (values: readonly number[]): number => Math.max(...values) - Math.min(...values);

/** With as many digits as tell it from 0 and from 1. */
function chance({ value }: Prediction): string {
  if (value === null) return "–";
  const percent = 100 * value;
  const digits = Math.min(percent, 100 - percent) < 1 ? 2 : 1;
  return `${percent.toFixed(digits)} %`;
}

const signed = (value: number): string => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
