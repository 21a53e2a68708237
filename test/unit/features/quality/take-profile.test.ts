import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type {
  AggregateValue,
  FeatureValue,
} from "../../../../src/features/aggregates/aggregate.ts";
import {
  count,
  countDistinct,
  first,
  last,
  lastN,
  mean,
  sum,
  vectorMean,
  type Aggregation,
} from "../../../../src/features/aggregation.ts";
import { compileView } from "../../../../src/features/compile-view.ts";
import { entity, featureView } from "../../../../src/features/define.ts";
import { apiKey, eventSource } from "../../../../src/features/define-source.ts";
import { pii, vector } from "../../../../src/features/fields.ts";
import { addEvent, dropUnreachable } from "../../../../src/features/fold-view.ts";
import type { ViewPlan } from "../../../../src/features/plan.ts";
import { packProfile, unpackProfile } from "../../../../src/features/quality/profile-codec.ts";
import { takeProfile } from "../../../../src/features/quality/take-profile.ts";
import { columnsOfProfile } from "../../../../src/features/quality/view-profile.ts";
import type { FeatureProfile } from "../../../../src/features/quality/view-profile.ts";
import { recordFromText } from "../../../../src/features/source-record.ts";
import { emptyState, encodeState } from "../../../../src/features/state.ts";
import { tumbling } from "../../../../src/features/window.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../../../src/time.ts";
import { logEvent } from "../../../support/log-events.ts";
import {
  isWithin,
  oracleValue,
  type OracleEvent,
  type OracleFeature,
} from "../../../support/oracle.ts";
import { anyEvent, anyView, oracleFeatures, toLogEvent } from "../../../support/views.ts";

const NOON = Date.UTC(2026, 5, 15, 12);
const BASE = Date.UTC(2026, 5, 15, 13, 37, 11, 123);

/** The packed state of one entity after these events. */
function stateOf(plan: ViewPlan, key: string, events: readonly OracleEvent[]): string {
  const state = emptyState(plan);
  for (const event of events) {
    const log = toLogEvent(event, key);
    addEvent(plan, state, key, { event: log, record: recordFromText(log.body) });
  }
  dropUnreachable(plan, state);
  return encodeState(plan, state);
}

const anyEntities = fc.array(fc.array(anyEvent(BASE, 20 * DAY_MS), { maxLength: 6 }), {
  minLength: 1,
  maxLength: 6,
});

const INEXACT = new Set(["approxCountDistinct", "approxPercentile", "expDecaySum"]);

/** What a profile is to count of a value. */
function measured(
  { aggregate, asText }: OracleFeature,
  value: NonNullable<AggregateValue>,
): number | string {
  if (typeof value === "object") {
    return aggregate === "vectorMean" ? Math.hypot(...value.map(Number)) : value.length;
  }
  return typeof value === "number" || asText ? Number(value) : String(value);
}

/** How many texts a profile counted. */
const textsIn = ({ texts }: FeatureProfile): number =>
  [...(texts?.commonest.values() ?? [])].reduce((all, n) => all + n, texts?.others ?? 0);

describe("the profile of a view", () => {
  it("counts what the definition says of each entity, whatever the view", () => {
    fc.assert(
      fc.property(anyView, anyEntities, (plan, histories) => {
        const asOf = BASE + 1;
        const entities = histories.map((events) =>
          events.map((event, i): OracleEvent => ({ ...event, order: `e${i}` })),
        );
        const states = entities.map((events, i) => stateOf(plan, `d${i}`, events));
        const profile = takeProfile(plan, states, asOf);
        const features = oracleFeatures(plan);
        const found = entities.filter((events) =>
          events.some(({ time }) => features.some(({ window }) => isWithin(window, time, asOf))),
        );
        expect(profile.entities).toBe(entities.length);
        expect(profile.notFound).toBe(entities.length - found.length);
        for (const { name, index, key } of columnsOfProfile(plan)) {
          const feature = features[index] as OracleFeature;
          const own = profile.features.get(name) as FeatureProfile;
          const values = found.flatMap((events) => {
            const value: FeatureValue = oracleValue(feature, events, asOf);
            const one = (key === null ? value : (value as never)[key]) as AggregateValue;
            return one === null ? [] : [measured(feature, one)];
          });
          expect([own.nulls, own.values]).toEqual([found.length - values.length, values.length]);
          const numbers = values.filter((one) => typeof one === "number");
          expect(textsIn(own)).toBe(values.length - numbers.length);
          if (numbers.length === 0 || INEXACT.has(feature.aggregate)) continue;
          expect(own.numbers?.min).toBeCloseTo(Math.min(...numbers), 9);
          expect(own.numbers?.max).toBeCloseTo(Math.max(...numbers), 9);
        }
        expect(unpackProfile(packProfile(profile))).toEqual(profile);
      }),
      { numRuns: 80 },
    );
  });
});

const account = entity("account", { key: "account" });
const visits = eventSource("visits", {
  schema: z.object({
    id: z.string(),
    account: z.string(),
    at: z.iso.datetime({ offset: true }),
    email: pii(z.email(), "token").nullable(),
    amount: z.number().nullable(),
    page: z.string().nullable(),
    signed_in: z.boolean(),
    spot: vector(2).nullish(),
  }),
  id: "id",
  eventTime: "at",
  accept: [apiKey()],
});

type Visit = Readonly<Record<string, string | boolean | readonly string[] | null>>;

/** The profile at noon of accounts with these visits, each so long before noon. */
function profileOf(
  features: Readonly<Record<string, Aggregation>>,
  accounts: readonly (readonly (readonly [agoMs: number, visit: Visit])[])[],
  maxAge?: "1h",
) {
  const plan = compileView(
    featureView("visited", {
      entity: account,
      source: visits,
      features: features as Record<string, never>,
      ...(maxAge !== undefined && { maxAge }),
    }),
  );
  const states = accounts.map((own, i) => {
    const state = emptyState(plan);
    for (const [j, [agoMs, visit]] of own.entries()) {
      const [eventTime, orderKey] = [NOON - agoMs, `v${i}.${j}`];
      const event = { ...logEvent("t", orderKey), source: "visits", eventTime, orderKey };
      const at = new Date(eventTime).toISOString();
      const record = { id: orderKey, account: `a${i}`, at, signed_in: true, ...visit };
      const read = { event: { ...event, ingestTime: eventTime + 1_000 }, record };
      expect(addEvent(plan, state, `a${i}`, read)).toBe(true);
    }
    return encodeState(plan, state);
  });
  return takeProfile(plan, states, NOON);
}

describe("a profile", () => {
  it("counts apart who is not found, who is too old, and who has no value", () => {
    const profile = profileOf(
      { spent: sum("amount").over("1d").default(7), n: count().over("1d") },
      [
        [[MINUTE_MS, { amount: "3" }]],
        [[MINUTE_MS, { amount: null }]],
        [[2 * HOUR_MS, { amount: "9" }]],
        [[3 * DAY_MS, { amount: "9" }]],
        [],
      ],
      "1h",
    );
    expect(profile).toMatchObject({ entities: 5, notFound: 2, outsideMaxAge: 1 });
    // The default of 7 is what is answered, not what is there.
    expect(profile.features.get("spent")).toMatchObject({
      nulls: 1,
      values: 1,
      numbers: { min: 3, max: 3, mean: 3 },
    });
    expect(profile.features.get("n")).toMatchObject({ nulls: 0, values: 2 });
  });

  it("says how fresh the view is", () => {
    const profile = profileOf({ n: count() }, [
      [
        [HOUR_MS, {}],
        [MINUTE_MS, {}],
      ],
      [[2 * MINUTE_MS, {}]],
      [],
    ]);
    expect(profile.newestEvent).toBe(NOON - MINUTE_MS);
    expect(profile.newestIngest).toBe(NOON - MINUTE_MS + 1_000);
    expect(profile.ages).toMatchObject({ min: MINUTE_MS, max: 2 * MINUTE_MS });
    const empty = profileOf({ n: count() }, [[], []]);
    expect(empty).toMatchObject({ entities: 2, notFound: 2, newestEvent: null, ages: null });
    expect(profileOf({ n: count() }, [])).toMatchObject({ entities: 0, newestIngest: null });
  });

  it("takes events that are ahead of the clock as a read does", () => {
    const profile = profileOf({ n: count().over("1h") }, [[[-5_000, {}]], [[MINUTE_MS, {}]]]);
    expect(profile).toMatchObject({ takenAt: NOON, notFound: 0, newestEvent: NOON + 5_000 });
    expect(profile.ages).toMatchObject({ min: 1 });
  });

  it("measures times by their age, lists by their length, vectors by their norm, flags as text", () => {
    const profile = profileOf(
      {
        since: first("at"),
        pages: lastN("page", 5),
        mean_spot: vectorMean("spot"),
        signed_in: last("signed_in"),
      },
      [
        [
          [HOUR_MS, { page: "a", spot: ["3", "0"] }],
          [MINUTE_MS, { page: "b", spot: ["3", "8"] }],
        ],
        [[2 * HOUR_MS, { page: "c", spot: null }]],
      ],
    );
    expect(profile.features.get("since")?.numbers).toMatchObject({
      min: HOUR_MS,
      max: 2 * HOUR_MS,
    });
    expect(profile.features.get("pages")?.numbers).toMatchObject({ min: 1, max: 2 });
    expect(profile.features.get("mean_spot")).toMatchObject({ nulls: 1, numbers: { min: 5 } });
    expect(profile.features.get("signed_in")?.texts).toEqual({
      commonest: new Map([["true", 2]]),
      others: 0,
    });
  });

  it("keeps nothing of personal data but whether it is there", () => {
    const visit: Visit = { email: "t1_token", page: "home" };
    const features = {
      email: last("email"),
      page: last("page"),
      emails: countDistinct("email"),
      recent: lastN("email", 2),
    };
    const profile = profileOf(features, [[[1, visit]], [[1, visit]], [[1, { email: null }]]]);
    expect(profile.features.get("email")).toEqual({
      nulls: 1,
      values: 2,
      numbers: null,
      texts: { commonest: new Map(), others: 2 },
    });
    expect(profile.features.get("emails")?.numbers).toMatchObject({ min: 1, max: 1 });
    expect(profile.features.get("page")?.texts?.commonest).toEqual(new Map([["home", 2]]));
    expect(packProfile(profile)).not.toContain("t1_");
  });

  it("profiles each key of a feature that is split by itself, defaults aside", () => {
    const split = mean("amount")
      .by("page", { keys: ["a", "b"] })
      .default(-1);
    const profile = profileOf({ split, n: count().by("page", { keys: ["a"] }) }, [
      [[1, { page: "a", amount: "4" }]],
      [[1, { page: "z", amount: "6" }]],
      [[1, { page: "z", amount: null }]],
    ]);
    expect([...profile.features].map(([name, { nulls, values }]) => [name, nulls, values])).toEqual(
      [
        ["split[a]", 2, 1],
        ["split[b]", 3, 0],
        ["split[other]", 2, 1],
        ["n[a]", 0, 3],
        ["n[other]", 0, 3],
      ],
    );
    expect(profile.features.get("split[a]")?.numbers?.mean).toBe(4);
  });

  it("sees a hopping window as a read does: what came since the last hop is not in it", () => {
    const profile = profileOf({ n: count().over(tumbling("1d")) }, [[[1, {}]], [[DAY_MS, {}]]]);
    expect(profile).toMatchObject({ entities: 2, notFound: 1 });
  });

  it("refuses what is no state", () => {
    const plan = compileView(
      featureView("visited", { entity: account, source: visits, features: { n: count() } }),
    );
    expect(() => takeProfile(plan, ["AAAA"], NOON)).toThrow(RangeError);
  });
});
