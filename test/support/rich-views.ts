import fc from "fast-check";
import {
  approxCountDistinct,
  approxPercentile,
  count,
  countDistinct,
  expDecaySum,
  first,
  firstN,
  last,
  lastN,
  max,
  mean,
  min,
  stddevSamp,
  sum,
  topN,
  varPop,
  type Aggregation,
} from "../../src/features/aggregation.ts";
import { compileView } from "../../src/features/compile-view.ts";
import { featureView } from "../../src/features/define.ts";
import type { ViewPlan } from "../../src/features/plan.ts";
import type { Duration } from "../../src/time.ts";
import { hopping, LIFETIME, sawtooth, tumbling, type Window } from "../../src/features/window.ts";
import { device, readings } from "./views.ts";

const number = fc.constantFrom("price", "level");
const plain = fc.constantFrom("price", "level", "colour", "on");

const anyAggregate: fc.Arbitrary<Aggregation> = fc.oneof(
  fc.constant<Aggregation>(count()),
  fc
    .tuple(fc.constantFrom(sum, mean, min, max, varPop, stddevSamp), number)
    .map(([make, field]): Aggregation => make(field)),
  fc.tuple(fc.constantFrom(first, last), plain).map(([make, field]): Aggregation => make(field)),
  fc
    .tuple(fc.constantFrom(firstN, lastN), plain)
    .map(([make, field]): Aggregation => make(field, 3)),
  number.map((field): Aggregation => topN(field, 2)),
  plain.map((field): Aggregation => countDistinct(field, { max: 3 })),
  plain.map((field): Aggregation => approxCountDistinct(field, { precision: 5 })),
  number.map((field): Aggregation => approxPercentile(field, 0.5)),
  number.map((field): Aggregation => expDecaySum(field, "1h")),
);

const anyWindow: fc.Arbitrary<Window> = fc.oneof(
  fc.constant(LIFETIME),
  fc.constantFrom<Duration>("12s", "5m", "1h", "1d", "7d", "30d").map((one) => sawtooth(one)),
  fc.constantFrom<Duration>("1m", "1h", "1d").map((one) => tumbling(one)),
  fc
    .constantFrom<[Duration, Duration]>(["1h", "5m"], ["6h", "1h"], ["7d", "1d"])
    .map((one) => hopping(...one)),
);

const anyFeature = fc
  .tuple(
    anyAggregate,
    anyWindow,
    fc.option(fc.constantFrom("red", "blue")),
    fc.boolean(),
    fc.option(fc.constant("0")),
  )
  .map(([aggregate, window, colour, split, fallback]) => {
    const filtered = colour === null ? aggregate : aggregate.where({ colour });
    const keyed = split ? filtered.by("on", { keys: [true, false] }) : filtered;
    const windowed = keyed.over(window);
    return fallback === null ? windowed : windowed.default(fallback);
  });

/** A random view of up to four features, of every aggregate and window there is. */
export const anyRichView: fc.Arbitrary<ViewPlan> = fc
  .tuple(
    fc.array(anyFeature, { minLength: 1, maxLength: 4 }),
    fc.option(fc.constantFrom<Duration>("1h", "2d")),
  )
  .map(([features, maxAge]) =>
    compileView(
      featureView("rich", {
        entity: device,
        source: readings,
        features: Object.fromEntries(features.map((one, i) => [`f${i}`, one])) as Record<
          string,
          never
        >,
        ...(maxAge !== null && { maxAge }),
      }),
    ),
  );
