import { describe, expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import { count, last, max, mean, sum } from "../../../src/features/aggregation.ts";
import {
  entity,
  featureView,
  onDemand,
  service,
  type FeatureDefinition,
  type ViewValues,
} from "../../../src/features/define.ts";
import { apiKey, contentHash, eventSource } from "../../../src/features/define-source.ts";
import { decimal, pii } from "../../../src/features/fields.ts";
import { compileDefinitions } from "../../../src/features/registry.ts";

const customer = entity("customer", { key: "customer_id" });

const payments = eventSource("payments", {
  schema: z.object({
    payment_id: z.string(),
    customer_id: z.string(),
    amount: decimal(),
    items: z.int(),
    country: z.enum(["JP", "NZ"]),
    email: pii(z.email(), "token"),
    note: pii(z.string(), "drop").nullable(),
    paid_at: z.iso.datetime({ offset: true }),
  }),
  id: "payment_id",
  eventTime: "paid_at",
  accept: [apiKey()],
});

const spend = featureView("spend", {
  entity: customer,
  source: payments,
  features: {
    payments_1h: count().over("1h"),
    total: sum("amount"),
    average: mean("amount").over("30d"),
    most: max("items").where({ country: "JP" }).over("1d").default(0),
    country: last("country"),
  },
});

const compile = (...definitions: readonly FeatureDefinition[]) => compileDefinitions(definitions);

/** A view whose features the compiler would refuse, as somebody without types writes it. */
const untyped = (features: object) =>
  featureView("untyped", { entity: customer, source: payments, features: features as never });

describe("definitions", () => {
  it("infer what each feature returns", () => {
    expectTypeOf<ViewValues<typeof spend>>().toEqualTypeOf<{
      readonly payments_1h: number;
      readonly total: string | null;
      readonly average: number | null;
      readonly most: number;
      readonly country: "JP" | "NZ" | null;
    }>();
  });

  it("make a misspelt field or feature a compile error", () => {
    const base = { entity: customer, source: payments } as const;
    // @ts-expect-error there is no "amout"
    featureView("a", { ...base, features: { x: sum("amout") } });
    // @ts-expect-error a country cannot be summed
    featureView("b", { ...base, features: { x: sum("country") } });
    // @ts-expect-error there is no "contry" to filter by
    featureView("c", { ...base, features: { x: count().where({ contry: "JP" }) } });
    // @ts-expect-error there is no such column for the key
    featureView("d", { ...base, key: { customer_id: "buyer" }, features: { x: count() } });
    const request = z.object({ amount: z.number() });
    onDemand("e", {
      version: 1,
      request,
      from: [spend],
      // @ts-expect-error the view has no "averag"
      features: { x: ({ features: { spend: given } }) => Number(given.averag) },
    });
    onDemand("f", {
      version: 1,
      request,
      from: [spend],
      features: {
        ratio: ({ request: asked, features }) => asked.amount / (features.spend.average ?? 1),
      },
    });
    expect(spend.name).toBe("spend");
  });

  it("compile into one registry that knows who feeds whom", () => {
    const velocity = onDemand("velocity", {
      version: 2,
      request: z.object({}),
      from: [spend],
      features: { twice: ({ features }) => features.spend.payments_1h * 2 },
    });
    const registry = compile(
      customer,
      payments,
      spend,
      velocity,
      service("fraud", [spend, velocity]),
    );
    expect([...registry.views.values()].map(({ name, source }) => [name, source])).toEqual([
      ["spend", "payments"],
    ]);
    expect(registry.services.get("fraud")?.views).toEqual(["spend", "velocity"]);
    expect(registry.sources.get("payments")?.fields.find(({ name }) => name === "email")).toEqual({
      name: "email",
      kind: "string",
      nullable: false,
      pii: "token",
      email: true,
    });
  });

  it("share partial states between features, and tiles between windows", () => {
    const view = featureView("shared", {
      entity: customer,
      source: payments,
      features: {
        s: sum("amount").over("7d"),
        m: mean("amount").over("7d"),
        n: count().over("7d"),
      },
    });
    const plan = compile(customer, payments, view).views.get("shared");
    expect(plan?.partials).toHaveLength(2);
    expect(plan?.levels.map(({ sizeMs }) => sizeMs)).toEqual([3_600_000, 86_400_000]);
  });

  it("name a version by everything that decides its values, and by nothing else", () => {
    const version = (options: object) =>
      compile(
        customer,
        payments,
        featureView("v", {
          entity: customer,
          source: payments,
          features: { n: count().over("1h") },
          ...options,
        }),
      ).views.get("v")?.specHash;
    const base = version({});
    expect(version({ owner: "risk@example.com", description: "words" })).toBe(base);
    expect(version({ features: { n: count().over("2h") } })).not.toBe(base);
    expect(version({ features: { n: count().over("1h").default(1) } })).not.toBe(base);
    expect(version({ maxAge: "1d" })).not.toBe(base);
  });
});

describe("a wrong definition", () => {
  it("says which fields there are when one is not known", () => {
    expect(() => compile(customer, payments, untyped({ x: sum("amout") }))).toThrow(
      /view "untyped", feature "x": there is no field "amout"; the source has payment_id, /,
    );
  });

  it("says that a text cannot be summed, or a dropped field kept", () => {
    expect(() => compile(customer, payments, untyped({ x: sum("country") }))).toThrow(
      /sum\(\) needs a number, and "country" is a string/,
    );
    expect(() => compile(customer, payments, untyped({ x: last("note") }))).toThrow(/dropped/);
    expect(() =>
      compile(customer, payments, untyped({ x: count().where({ email: "a@b.c" }) })),
    ).toThrow(/stored as a token/);
    expect(() => compile(customer, payments, untyped({}))).toThrow(/has no features/);
  });

  it("refuses names that are taken or ill formed", () => {
    expect(() => compile(customer, customer)).toThrow(/entity "customer": that name is taken/);
    expect(() => compile(customer, payments, spend, service("spend", [spend]))).toThrow(/taken/);
    expect(() => compile(entity("Customer", { key: "id" }))).toThrow(/lower-case/);
  });

  it("says what to add when something it uses is not in the list", () => {
    expect(() => compile(payments, spend)).toThrow(/entity "customer", which is not among/);
    expect(() => compile(customer, spend)).toThrow(/source "payments", which is not among/);
    expect(() => compile(service("s", [spend]))).toThrow(/view "spend", which is not among/);
  });

  it("refuses sources that nobody can use", () => {
    const source = (options: object, schema: object = {}) =>
      compile(
        eventSource("s", {
          schema: z.object({ id: z.string(), at: z.number(), ...schema }),
          id: "id",
          eventTime: "at",
          accept: [apiKey()],
          ...options,
        }),
      );
    expect(() => source({ accept: [] })).toThrow(/accepts nobody/);
    expect(() => source({ eventTime: "id" })).toThrow(/event time "id" must be/);
    expect(() => source({ id: "nope" })).toThrow(/its id "nope" must be a field/);
    expect(() => source({}, { tags: z.array(z.string()) })).toThrow(
      /field "tags": a source holds flat/,
    );
    expect(() => source({}, { age: pii(z.number(), "token") })).toThrow(/pii\(\) is for text/);
    expect(() => source({}, { "a b": z.string() })).toThrow(/letters, digits and _/);
    expect(source({ id: contentHash() }).sources.get("s")?.idField).toBeNull();
  });
});
