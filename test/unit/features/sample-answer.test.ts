import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { count, countDistinct, last, sum } from "../../../src/features/aggregation.ts";
import { entity, featureView, onDemand } from "../../../src/features/define.ts";
import { apiKey, eventSource } from "../../../src/features/define-source.ts";
import { pii } from "../../../src/features/fields.ts";
import {
  readOnline,
  type AnsweredRead,
  type ReadOnlineInput,
} from "../../../src/features/read-online.ts";
import { compileDefinitions } from "../../../src/features/registry.ts";
import { pickPositions, sampleAnswer } from "../../../src/features/sample-answer.ts";
import type { ServedAnswer } from "../../../src/features/served-answers.ts";
import { acceptEvents } from "../../../src/ingest/accept.ts";
import { ok } from "../../../src/result.ts";
import { NOON, openFilledWorld, type World } from "../../support/world.ts";
import { vault } from "../../support/write-path.ts";

describe("the positions that are picked", () => {
  const anyRandom = fc.array(fc.double({ min: 0, max: 0.999_999, noNaN: true }), { minLength: 1 });
  const from = (numbers: readonly number[]): (() => number) => {
    let next = 0;
    return () => numbers[next++ % numbers.length] ?? 0;
  };

  it("are distinct, below the count, and as many as may be", () => {
    fc.assert(
      fc.property(fc.nat({ max: 60 }), fc.nat({ max: 25 }), anyRandom, (n, most, numbers) => {
        const picked = pickPositions(n, most, from(numbers));
        expect(picked).toHaveLength(Math.min(n, most));
        expect(new Set(picked).size).toBe(picked.length);
        expect(picked.every((one) => Number.isInteger(one) && one >= 0 && one < n)).toBe(true);
      }),
    );
  });

  it("are each as likely as any other", () => {
    let state = 20_261_122;
    const random = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
    const [trials, n, most] = [20_000, 50, 20];
    const counts = Array.from({ length: n }, () => 0);
    for (let i = 0; i < trials; i += 1) {
      for (const one of pickPositions(n, most, random)) counts[one] = (counts[one] ?? 0) + 1;
    }
    // 8,000 each, with a standard deviation of 69.
    for (const one of counts) expect(Math.abs(one - (trials * most) / n)).toBeLessThan(5 * 69);
  });
});

const shop = entity("shop", { key: ["country", "number"] });
const person = entity("person", { key: "email" });
const sales = eventSource("sales", {
  schema: z.object({
    id: z.string(),
    at: z.number(),
    country: z.string(),
    number: z.number(),
    email: pii(z.email(), "token"),
    amount: z.number(),
  }),
  id: "id",
  eventTime: "at",
  accept: [apiKey()],
});
const byShop = featureView("by_shop", {
  entity: shop,
  source: sales,
  features: {
    n: count().over("1h"),
    total: sum("amount").over("1h").default(-1),
    amounts: countDistinct("amount", { max: 1 }),
  },
});
const byPerson = featureView("by_person", {
  entity: person,
  source: sales,
  features: { n: count(), buyer: last("email") },
});
const twice = onDemand("twice", {
  version: 7,
  request: z.object({ card: z.string() }),
  from: [byShop],
  features: { n: ({ request, features }) => `${request.card}${features.by_shop.n * 2}` },
});
const registry = compileDefinitions([shop, person, sales, byShop, byPerson, twice]);

const ADA = { country: "NZ", number: "12.0", email: " Ada@Example.com" };
const BOB = { country: "DE", number: 1, email: "bob@example.com" };

async function openShop(): Promise<World> {
  const world = await openFilledWorld(registry);
  const value = { id: "a", at: NOON - 1, country: "NZ", number: 12, email: "ada@example.com" };
  const records = [2, 3].map((amount) => ({
    value: ok({ ...value, id: `${amount}`, amount }),
    text: "",
    knownAt: null,
  }));
  const input = { tenant: world.tenant, source: "sales", waitApplied: false, traceparent: null };
  await acceptEvents({ ...world.ctx(), sleep: async () => undefined }, { ...input, records });
  await world.drain();
  return world;
}

async function sampled(
  world: World,
  input: Omit<ReadOnlineInput, "tenant">,
  positions?: readonly number[],
): Promise<readonly ServedAnswer[]> {
  const reads: AnsweredRead[] = [];
  const { online, clock, tenant } = world;
  const ctx = {
    registry,
    online,
    vault,
    now: () => clock.now,
    whenIncomplete: "degraded",
  } as const;
  await readOnline({ ...ctx, answered: (read) => void reads.push(read) }, { tenant, ...input });
  const [read] = reads;
  if (read === undefined || reads.length > 1) throw new Error("not told of one answer");
  return sampleAnswer(read, positions ?? read.keys.map((_, i) => i), "ans_1", NOON + 5);
}

describe("the sample of an answer", () => {
  it("has a part for each view and entity, as it was answered", async () => {
    const features = ["by_person:n", "by_shop:total", "by_shop:n", "by_shop:amounts"];
    const sample = await sampled(await openShop(), { features, entities: [ADA, BOB] });
    const shared = { tenant: "t", service: null, asOf: NOON, servedAt: NOON + 5, capped: [] };
    const ofShop = {
      ...shared,
      view: "by_shop",
      entity: "shop",
      features: ["n", "total", "amounts"],
    };
    expect(sample.map(({ id }) => id)).toEqual(["ans_1_0", "ans_1_1", "ans_1_2", "ans_1_3"]);
    expect(sample.filter(({ view }) => view === "by_shop")).toEqual([
      {
        ...ofShop,
        id: "ans_1_1",
        key: "NZ,12",
        version: "1.2",
        values: [2, 5, 1],
        statuses: ["PRESENT", "PRESENT", "PRESENT"],
        capped: ["amounts"],
      },
      {
        ...ofShop,
        id: "ans_1_3",
        key: "DE,1",
        version: "1.0",
        values: [0, -1, null],
        statuses: ["NOT_FOUND", "NOT_FOUND", "NOT_FOUND"],
      },
    ]);
    expect(sample[0]).toMatchObject({ view: "by_person", features: ["n"], values: [2] });
  });

  it("names an entity whose key is personal data by its token alone", async () => {
    const sample = await sampled(await openShop(), { features: ["by_person"], entities: [ADA] });
    expect(sample[0]?.key).toMatch(/^t1_[\w-]{22}$/);
    expect(sample[0]?.values).toEqual([2, sample[0]?.key]);
    expect(JSON.stringify(sample)).not.toMatch(/ada|example/i);
  });

  it("has what on-demand features were made of, and nothing of the request", async () => {
    const entities = [ADA];
    const request = [{ card: "4111111111111111" }];
    const world = await openShop();
    for (const features of [["twice"], ["twice", "by_shop:total"]]) {
      const sample = await sampled(world, { features, entities, request });
      expect(sample).toMatchObject([
        {
          view: "by_shop",
          features: ["n", "total", "amounts"],
          values: [2, 5, 1],
          capped: ["amounts"],
        },
      ]);
      expect(JSON.stringify(sample)).not.toContain("4111");
    }
  });

  it("has the entities that were picked, in whatever order", async () => {
    const world = await openShop();
    const input = { features: ["by_shop:n"], entities: [ADA, BOB, ADA, BOB] };
    expect((await sampled(world, input, [3, 0])).map(({ key }) => key)).toEqual(["DE,1", "NZ,12"]);
    expect(await sampled(world, input, [])).toEqual([]);
  });

  it("says nothing of a store that is being filled", async () => {
    const world = await openShop();
    world.online.flush();
    expect(await sampled(world, { features: ["by_shop"], entities: [ADA] })).toEqual([]);
  });
});
