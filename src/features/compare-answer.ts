import type { Answered } from "./history/answer-points.ts";
import type { ViewPlan } from "./plan.ts";
import type { ServedAnswer } from "./served-answers.ts";

/** What was said of one feature. */
export interface Said {
  readonly value: unknown;
  readonly status: string;
  /** Whether the value is a bound that was reached. */
  readonly capped: boolean;
}

/** `missing`: history has a value and the online answer had none; `extra`: the other way round. */
export type Skew = "mismatched" | "missing" | "extra";

/** A feature of which an online answer and its replay do not say the same. */
export interface FeatureSkew {
  readonly feature: string;
  readonly skew: Skew;
  readonly online: Said;
  /** Null where history has no such feature, or no such version of the entity. */
  readonly history: Said | null;
}

/** Equal as what a client is given: as JSON, to the last digit. */
const isSame = (online: Said, history: Said): boolean =>
  online.status === history.status &&
  online.capped === history.capped &&
  JSON.stringify(online.value) === JSON.stringify(history.value);

const has = (said: Said | null): boolean => said?.status === "PRESENT";

function skewOf(online: Said, history: Said | null): Skew {
  if (has(online) === has(history)) return "mismatched";
  return has(online) ? "extra" : "missing";
}

/** Pure. The features of a logged answer of which its replay says something else. */
export function compareAnswer(
  served: ServedAnswer,
  view: ViewPlan,
  again: Answered,
): readonly FeatureSkew[] {
  const names = view.features.map(({ name }) => name);
  return served.features.flatMap((feature, i): readonly FeatureSkew[] => {
    const online = {
      value: served.values[i] ?? null,
      status: served.statuses[i] ?? "",
      capped: served.capped.includes(feature),
    };
    const at = names.indexOf(feature);
    const history =
      at < 0 || "unknownVersion" in again
        ? null
        : {
            value: again.values[at] ?? null,
            status: again.statuses[at] ?? "",
            capped: again.capped.includes(at),
          };
    if (history !== null && isSame(online, history)) return [];
    return [{ feature, skew: skewOf(online, history), online, history }];
  });
}
