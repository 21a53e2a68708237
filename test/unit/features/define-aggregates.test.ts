import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import {
  approxCountDistinct,
  approxPercentile,
  count,
  countDistinct,
  expDecaySum,
  first,
  firstN,
  lastN,
  stddevSamp,
  sum,
  topN,
  vectorMean,
} from "../../../src/features/aggregation.ts";
import { compileView } from "../../../src/features/compile-view.ts";
import { entity, featureView, type ViewValues } from "../../../src/features/define.ts";
import { apiKey, eventSource } from "../../../src/features/define-source.ts";
import { decimal, DefinitionError, pii, vector } from "../../../src/features/fields.ts";
import { compileDefinitions } from "../../../src/features/registry.ts";
import { hopping, LIFETIME, sawtooth, tumbling } from "../../../src/features/window.ts";

const customer = entity("customer", { key: "customer_id" });

const payments = eventSource("payments", {
  schema: z.object({
    payment_id: z.string(),
    customer_id: z.string(),
    amount: decimal(),
    items: z.int(),
    risky: z.boolean(),
    country: z.enum(["JP", "NZ", "other"]),
    email: pii(z.email(), "token"),
    taste: vector(2).nullable(),
    paid_at: z.iso.datetime({ offset: true }),
  }),
  id: "payment_id",
  eventTime: "paid_at",
  accept: [apiKey()],
});

const base = { entity: customer, source: payments } as const;

const rich = featureView("rich", {
  ...base,
  features: {
    first_amounts: firstN("amount", 3),
    last_countries: lastN("country", 2).over("7d").default([]),
    most_items: topN("items", 5).over(hopping("1h", "5m")),
    spread: stddevSamp("amount").default(0),
    countries: countDistinct("country"),
    emails: approxCountDistinct("email").over("1d"),
    usual: approxPercentile("amount", 0.5),
    recent: expDecaySum("items", "1h"),
    taste: vectorMean("taste").over(tumbling("1d")),
    by_country: count().by("country", { keys: ["JP"] }),
    by_risk: sum("amount")
      .where({ country: "JP" })
      .by("risky", { keys: [true] })
      .default("0"),
    by_items: first("country").by("items", { keys: [1, 2] }),
  },
});

describe("the types of features", () => {
  it("are lists and objects where their aggregates are", () => {
    type Country = "JP" | "NZ" | "other";
    expectTypeOf<ViewValues<typeof rich>>().toEqualTypeOf<{
      readonly first_amounts: readonly string[] | null;
      readonly last_countries: readonly Country[] | readonly [];
      readonly most_items: readonly number[] | null;
      readonly spread: number;
      readonly countries: number | null;
      readonly emails: number | null;
      readonly usual: number | null;
      readonly recent: number | null;
      readonly taste: readonly number[] | null;
      readonly by_country: { readonly JP: number; readonly other: number };
      readonly by_risk: { readonly true: string; readonly other: string };
      readonly by_items: {
        readonly 1: Country | null;
        readonly 2: Country | null;
        readonly other: Country | null;
      };
    }>();
    expect(compileView(rich).features).toHaveLength(12);
  });

  it("make a field that the aggregate cannot take a compile error", () => {
    // @ts-expect-error a country has no variance
    featureView("a", { ...base, features: { x: stddevSamp("country") } });
    // @ts-expect-error a vector is no single value
    featureView("b", { ...base, features: { x: lastN("taste", 2) } });
    // @ts-expect-error an amount is no vector
    featureView("c", { ...base, features: { x: vectorMean("amount") } });
    // @ts-expect-error there is no "contry" to split by
    featureView("d", { ...base, features: { x: count().by("contry", { keys: ["JP"] }) } });
    // @ts-expect-error a vector is nothing to split by
    featureView("e", { ...base, features: { x: count().by("taste", { keys: ["JP"] }) } });
    expect(rich.name).toBe("rich");
  });
});

/** What is said of a feature that somebody without types writes. */
function refusal(feature: object): string {
  try {
    compileView(featureView("v", { ...base, features: { x: feature } as never }));
  } catch (error) {
    if (error instanceof DefinitionError) return error.message;
  }
  return "";
}

describe("a wrong feature", () => {
  it("is refused with what its aggregate needs", () => {
    expect(refusal(topN("country", 2))).toBe(
      'view "v", feature "x": topN() needs a number, and "country" is a string',
    );
    expect(refusal(countDistinct("taste"))).toMatch(
      /needs a single value, and "taste" is a vector/,
    );
    expect(refusal(vectorMean("amount"))).toMatch(/needs a vector, and "amount" is a decimal/);
    expect(refusal(lastN("amount", 0))).toBe(
      'view "v", feature "x": lastN(): "n" is a number from 1 to 100, not 0',
    );
    expect(refusal(approxPercentile("amount", 95))).toMatch(/"p" is a number from 0 to 1, not 95/);
  });

  it("is refused by name where a duration is none, or a window cannot be", () => {
    const words = {
      "a window of 11s is too small": count().over("11s"),
      '"1w" is no duration': count().over("1w" as "1d"),
      "a hop of 7m does not divide": count().over(hopping("1h", "7m")),
      '"0d" is no duration': count().over(tumbling("0d")),
      '"2w" is no duration': expDecaySum("amount", "2w" as "1d").over("1d"),
    };
    for (const [problem, feature] of Object.entries(words)) {
      expect(refusal(feature)).toContain(`view "v", feature "x": ${problem}`);
    }
    const view = featureView("v", { ...base, features: { n: count() }, maxAge: "1w" as "1d" });
    expect(() => compileView(view)).toThrow(DefinitionError);
    expect(() => compileView(view)).toThrow('view "v", maxAge: "1w" is no duration');
  });

  it("is refused where its keys cannot be told apart, or are none", () => {
    const keys = (...all: readonly unknown[]) =>
      refusal(count().by("country", { keys: all as readonly string[] }));
    expect(keys("JP")).toBe("");
    expect(keys()).toMatch(/by\(\) takes 1 to 50 different keys/);
    expect(keys("JP", "JP")).toMatch(/different keys/);
    expect(keys(...Array.from({ length: 51 }, (_, i) => `k${i}`))).toMatch(/1 to 50/);
    expect(keys("JP", "other")).toMatch(/calls what is in no key "other"; leave that key out/);
    expect(keys(1)).toMatch(/by\(\): "country" is a string, and is never 1/);
    expect(refusal(count().by("items", { keys: ["1.0", 1] }))).toMatch(/different keys/);
    expect(refusal(count().by("email", { keys: ["a@b.c"] }))).toMatch(/by\(\) cannot see "email"/);
    expect(refusal(count().by("taste", { keys: ["a"] }))).toMatch(/"taste" is a vector/);
    expect(refusal(count().where({ taste: "a" }))).toMatch(/"taste" is a vector, and is never/);
  });

  it("cannot have a vector as its key, id or time", () => {
    const keyed = { ...base, key: { customer_id: "taste" }, features: { n: count() } };
    expect(() => compileView(featureView("v", keyed as never))).toThrow(/an entity key is text/);
    const source = eventSource("s", {
      schema: z.object({ id: vector(2), at: z.number() }),
      id: "id",
      eventTime: "at",
      accept: [apiKey()],
    });
    expect(() => compileDefinitions([source])).toThrow(/its id "id" must be a field/);
  });
});

describe("a view's version", () => {
  const specOf = (feature: object): string =>
    compileView(featureView("v", { ...base, features: { x: feature } as never })).spec;

  it("is decided by parameters, keys, and the kind of window", () => {
    const all = [
      lastN("amount", 2),
      lastN("amount", 3),
      firstN("amount", 2),
      approxPercentile("amount", 0.5),
      approxPercentile("amount", 0.9),
      approxPercentile("amount", 0.5, { accuracy: 0.02 }),
      approxPercentile("amount", 0.5, { to: 1e6 }),
      expDecaySum("amount", "1h"),
      expDecaySum("amount", "2h"),
      countDistinct("country"),
      countDistinct("country", { max: 7 }),
      count().over("1h"),
      count().over(hopping("1h", "5m")),
      count().over(tumbling("1h")),
      count().by("country", { keys: ["JP"] }),
      count().by("country", { keys: ["NZ"] }),
      count().by("country", { keys: ["JP", "NZ"] }),
      vectorMean("taste"),
    ];
    expect(new Set(all.map(specOf)).size).toBe(all.length);
    expect(specOf(count().over(sawtooth("1h")))).toBe(specOf(count().over("1h")));
    expect(specOf(count().over(LIFETIME))).toBe(specOf(count()));
    expect(specOf(countDistinct("country", { max: 1_000 }))).toBe(specOf(countDistinct("country")));
  });

  it("has no member that a view from before such features does not have", () => {
    expect(specOf(sum("amount").over("1h"))).toBe(
      '{"format":1,"view":"v","entity":{"name":"customer","key":["customer_id"]},' +
        '"source":{"name":"payments","event_time":"paid_at"},"key":["customer_id"],"features":' +
        '[{"name":"x","aggregate":"sum","field":"amount","kind":"decimal","where":[],' +
        '"window":{"kind":"sawtooth","lengthMs":3600000,"hopMs":300000},"default":null}],' +
        '"max_age_ms":null}',
    );
  });

  it("shares one sketch among percentiles of one field", () => {
    const features = {
      p50: approxPercentile("amount", 0.5),
      p95: approxPercentile("amount", 0.95),
      finer: approxPercentile("amount", 0.95, { accuracy: 0.005 }),
      larger: approxPercentile("amount", 0.95, { to: 1e10 }),
      smaller: approxPercentile("amount", 0.95, { from: 1e-7 }),
    };
    // One for the first two, one for each other, and the count of events.
    expect(compileView(featureView("v", { ...base, features })).partials).toHaveLength(5);
  });
});
