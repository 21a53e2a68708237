import { describe, expect, it } from "vitest";
import { z } from "zod";
import { AppError } from "../../../src/errors.ts";
import { count, last, sum } from "../../../src/features/aggregation.ts";
import { stateOfHistory } from "../../../src/features/build-view.ts";
import { entity, featureView, onDemand, service } from "../../../src/features/define.ts";
import { apiKey, eventSource } from "../../../src/features/define-source.ts";
import { pii } from "../../../src/features/fields.ts";
import type { Meta, StateKey } from "../../../src/features/online-store.ts";
import type { ViewPlan } from "../../../src/features/plan.ts";
import {
  readOnline,
  type OnlineAnswer,
  type ReadOnlineContext,
  type ReadOnlineInput,
} from "../../../src/features/read-online.ts";
import { compileDefinitions } from "../../../src/features/registry.ts";
import { acceptEvents } from "../../../src/ingest/accept.ts";
import { ok } from "../../../src/result.ts";
import { HOUR_MS, MINUTE_MS } from "../../../src/time.ts";
import { createMemoryStoredStates } from "../../support/fakes/memory-state-archive.ts";
import { rowEvent, rows } from "../../support/changed-rows.ts";
import { withFaults } from "../../support/fakes/with-faults.ts";
import { device } from "../../support/views.ts";
import { NOON, openFilledWorld, openWorld, type World } from "../../support/world.ts";
import { vault } from "../../support/write-path.ts";

const shop = entity("shop", { key: ["country", "number"] });
const person = entity("person", { key: "email" });

const sales = eventSource("sales", {
  schema: z.object({
    id: z.string(),
    at: z.number(),
    country: z.string(),
    number: z.number(),
    email: pii(z.email(), "token").nullable(),
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
    big: sum("amount")
      .where({ amount: [1e3] })
      .over("1h"),
  },
});
const byPerson = featureView("by_person", {
  entity: person,
  source: sales,
  maxAge: "30m" as const,
  features: {
    n: count(),
    newest: last("amount").default(0),
  },
});
const twice = onDemand("twice", {
  version: 7,
  request: z.object({}),
  from: [byShop],
  features: { n: ({ features }) => features.by_shop.n * 2 },
});
const registry = compileDefinitions([
  shop,
  person,
  sales,
  byShop,
  byPerson,
  twice,
  service("all", [byShop, twice]),
]);

interface Sale {
  readonly at?: number;
  readonly country?: string;
  readonly number?: number;
  readonly email?: string | null;
  readonly amount?: number;
}

async function sell(world: World, id: string, sale: Sale = {}): Promise<void> {
  const value = { id, at: NOON, country: "NZ", number: 12, email: null, amount: 2, ...sale };
  const answer = await acceptEvents(
    { ...world.ctx(), sleep: async () => undefined },
    {
      tenant: world.tenant,
      source: "sales",
      waitApplied: false,
      traceparent: null,
      records: [
        {
          value: ok(value),
          text: "",
          knownAt: null,
        },
      ],
    },
  );
  expect(answer.rejected).toEqual([]);
  await world.drain();
}

/** Reads, and tells which states were asked for in how many round trips. */
async function read(
  world: World,
  input: Omit<ReadOnlineInput, "tenant">,
  parts: Partial<ReadOnlineContext> = {},
): Promise<OnlineAnswer & { readonly trips: readonly (readonly StateKey[])[] }> {
  const trips: (readonly StateKey[])[] = [];
  const online = withFaults(
    { ...world.online },
    { before: (_method, [, keys]) => void trips.push(keys as readonly StateKey[]) },
  );
  const context = { registry, online, vault, now: () => world.clock.now } as const;
  const answer = await readOnline(
    { ...context, whenIncomplete: "unavailable", ...parts },
    { tenant: world.tenant, ...input },
  );
  return { ...answer, trips };
}

const refused = async (reading: Promise<unknown>): Promise<AppError> => {
  const error: unknown = await reading.then(
    () => new Error("it was not refused"),
    (cause: unknown) => cause,
  );
  if (error instanceof AppError) return error;
  throw error;
};

const NZ = { country: "NZ", number: 12 };

describe("an online read", () => {
  it("makes one round trip, whatever the views and entities, and asks for each state once", async () => {
    const world = await openFilledWorld(registry);
    await sell(world, "a");
    const { trips, results, names } = await read(world, {
      features: ["by_shop:n", "by_shop:total", "twice"],
      entities: [NZ, { country: "DE", number: 1 }, NZ, { number: "12.0", country: "NZ" }],
      request: [{}, {}, {}, {}],
    });
    expect(trips.map((keys) => keys.map(({ key }) => key))).toEqual([["NZ,12", "DE,1"]]);
    expect(names).toEqual(["by_shop:n", "by_shop:total", "twice:n"]);
    expect(results.map(({ values }) => values)).toEqual([
      [1, 2, 2],
      [0, -1, 0],
      [1, 2, 2],
      [1, 2, 2],
    ]);
    expect(results.map(({ entity: row }) => row)[3]).toEqual({ number: "12.0", country: "NZ" });
  });

  it("says of what version of each view and entity its values are", async () => {
    const world = await openFilledWorld(registry);
    await sell(world, "a");
    await sell(world, "b");
    world.clock.now += 250;
    const { results } = await read(world, {
      service: "all",
      entities: [
        NZ,
        {
          country: "DE",
          number: 1,
        },
      ],
      request: [{}, {}],
    });
    expect(results.map(({ version }) => version)).toEqual([
      { by_shop: "1.2", twice: "7" },
      { by_shop: "1.0", twice: "7" },
    ]);
    expect(results.map(({ freshnessMs }) => freshnessMs)).toEqual([250, null]);
  });

  it("is as of now, or one past the newest event of any state it read", async () => {
    const world = await openFilledWorld(registry);
    await sell(world, "a", { at: NOON });
    await sell(world, "b", { at: NOON - 10, number: 13 });
    const both = { features: ["by_shop"], entities: [{ ...NZ, number: 13 }, NZ] };
    expect(await read(world, both)).toMatchObject({
      asOf: NOON + 1,
      results: [{ values: [1, 2, null] }, { values: [1, 2, null] }],
    });
    // A clock that is behind the one that took the event in.
    world.clock.now = NOON - 5_000;
    expect((await read(world, both)).asOf).toBe(NOON + 1);
    expect((await read(world, { ...both, entities: [{ ...NZ, number: 13 }] })).asOf).toBe(NOON - 9);
    expect((await read(world, { ...both, entities: [{ ...NZ, number: 99 }] })).asOf).toBe(
      NOON - 5_000,
    );
    expect((await read(world, { ...both, asOf: 0 })).asOf).toBe(NOON + 1);
    expect((await read(world, { ...both, asOf: NOON + 9 })).asOf).toBe(NOON + 9);
  });

  it("takes the clock after the store has answered", async () => {
    const world = await openFilledWorld(registry);
    const online = withFaults({ ...world.online }, { after: () => void world.clock.now++ });
    const { asOf } = await read(world, { features: ["by_shop"], entities: [NZ] }, { online });
    expect(asOf).toBe(NOON + 1);
  });

  it("gives each status before defaults apply", async () => {
    const world = await openFilledWorld(registry);
    await sell(world, "a", { email: "ada@example.com" });
    const input = { features: ["by_shop"], entities: [NZ] };
    const statusesOf = async () => (await read(world, input)).results[0];
    expect(await statusesOf()).toMatchObject({
      values: [1, 2, null],
      statuses: ["PRESENT", "PRESENT", "NULL_VALUE"],
    });
    world.clock.now = NOON + HOUR_MS + 5 * MINUTE_MS;
    expect(await statusesOf()).toMatchObject({
      values: [0, -1, null],
      statuses: Array(3).fill("NOT_FOUND"),
      // It was found, but all it did was too long ago.
      version: { by_shop: "1.1" },
    });
  });

  it("holds values back that are older than the view allows, to the millisecond", async () => {
    const world = await openFilledWorld(registry);
    await sell(world, "a", { email: "ada@example.com" });
    const input = { features: ["by_person"], entities: [{ email: "ada@example.com" }] };
    world.clock.now = NOON + 30 * MINUTE_MS;
    expect((await read(world, input)).results[0]).toMatchObject({
      values: [1, 2],
      statuses: ["PRESENT", "PRESENT"],
    });
    world.clock.now += 1;
    expect((await read(world, input)).results[0]).toMatchObject({
      values: [null, 0],
      statuses: Array(2).fill("OUTSIDE_MAX_AGE"),
    });
  });

  it("answers nothing of an erased entity, not even defaults", async () => {
    const world = await openFilledWorld(registry);
    await sell(world, "a");
    const stateId = registry.views.get("by_shop")?.stateId ?? "";
    const key = { tenant: world.tenant, stateId, key: "NZ,12" };
    await world.online.write([{ ...key, kind: "erased", version: 9 }]);
    const { results } = await read(world, { features: ["by_shop"], entities: [NZ] });
    expect(results[0]).toMatchObject({
      values: [null, null, null],
      statuses: Array(3).fill("ERASED"),
      version: { by_shop: "1.9" },
      freshnessMs: null,
    });
  });
});

describe("the entities of a read", () => {
  it("are found by the number, however it is written", async () => {
    const world = await openFilledWorld(registry);
    await sell(world, "a", { number: 1e21 });
    await sell(world, "b", { number: -0 });
    for (const number of [1e21, "1e21", "1000000000000000000000.0", 0, "-0.00"]) {
      const { results } = await read(world, {
        features: ["by_shop:n"],
        entities: [{ country: "NZ", number }],
      });
      expect([number, results[0]?.values]).toEqual([number, [1]]);
    }
  });

  it("are found by the token of personal data, which alone reaches the store", async () => {
    const world = await openFilledWorld(registry);
    await sell(world, "a", { email: "Ada@Example.com" });
    const { results, trips } = await read(world, {
      features: ["by_person:n"],
      entities: [{ email: " ada@EXAMPLE.com" }, { email: "bob@example.com" }, { email: 5 }],
    });
    expect(results.map(({ values }) => values)).toEqual([[1], [0], [0]]);
    expect(trips[0]?.map(({ key }) => key)).toEqual(
      Array(3).fill(expect.stringMatching(/^t1_[\w-]{22}$/)),
    );
    expect(JSON.stringify([...world.online.texts])).not.toMatch(/example/i);
  });

  it("are refused together, each with its row, before anything is read", async () => {
    const world = await openFilledWorld(registry);
    const error = await refused(
      read(world, {
        features: ["by_shop", "by_person"],
        entities: [
          { ...NZ, email: "ada@example.com" },
          { country: "NZ", email: "" },
          { country: "secret\0", number: 1, email: "x" },
          { country: "x".repeat(520), number: 1, email: "x" },
        ],
      }),
    );
    expect(error.code).toBe("unprocessable");
    expect(error.errors).toEqual([
      {
        path: "entities[1].number",
        code: "missing_key",
        detail: '"by_shop" needs the key column "number"',
      },
      { path: "entities[2]", code: "invalid_key", detail: "an entity key holds a NUL" },
      { path: "entities[3]", code: "invalid_key", detail: "an entity key is over 512 bytes" },
    ]);
    expect(error.message + JSON.stringify(error.errors)).not.toMatch(/secret|ada/);
  });

  it("are refused where a number is none, and found by any text of one", async () => {
    const world = await openFilledWorld(registry);
    await sell(world, "a");
    const of = (...numbers: readonly (string | number)[]) =>
      read(world, {
        features: ["by_shop:n"],
        entities: numbers.map((number) => ({ ...NZ, number })),
      });
    const { number } = NZ;
    const { results } = await of(number, String(number), `${number}.0`);
    expect(results.map(({ values }) => values)).toEqual([[1], [1], [1]]);
    expect((await refused(of("abc", number, ""))).errors).toEqual(
      [0, 2].map((row) => ({
        path: `entities[${row}].number`,
        code: "invalid_key",
        detail: '"by_shop" needs a number for the key column "number"',
      })),
    );
  });

  it("never take a key column from what every object has", async () => {
    const world = await openFilledWorld(registry);
    const inherited = Object.create({ country: "NZ", number: 12 }) as { country: string };
    const error = await refused(read(world, { features: ["by_shop"], entities: [inherited] }));
    expect(error.errors.map(({ code }) => code)).toEqual(["missing_key", "missing_key"]);
  });
});

describe("a store that cannot be trusted", () => {
  const input = { features: ["by_shop"], entities: [NZ] };

  it("is refused while it is not filled, or answers with nulls and says so", async () => {
    const world = await openFilledWorld(registry);
    await sell(world, "a");
    world.online.flush();
    const error = await refused(read(world, input));
    expect([error.code, error.retryAfterSeconds]).toEqual(["dependency_unavailable", 5]);
    const answer = await read(world, input, { whenIncomplete: "degraded" });
    expect(answer).toMatchObject({
      degraded: ["online_store_incomplete"],
      results: [{ values: [null, null, null], statuses: Array(3).fill("NULL_VALUE"), version: {} }],
    });
  });

  it("still answers what it holds while it is half filled", async () => {
    const world = await openFilledWorld(registry);
    world.online.flush();
    await sell(world, "a");
    const { results } = await read(world, input, { whenIncomplete: "degraded" });
    expect(results[0]).toMatchObject({ values: [1, 2, null], version: {} });
  });

  it("is refused where the definitions are not applied, with the command that applies them", async () => {
    const world = openWorld(registry);
    const meta = { generation: "g", revision: 1, views: {}, revokedKeys: [] };
    await world.online.writeMeta(world.tenant, "begin", meta);
    await world.online.writeMeta(world.tenant, "end", meta);
    for (const whenIncomplete of ["unavailable", "degraded"] as const) {
      const error = await refused(read(world, input, { whenIncomplete }));
      expect(error.code).toBe("dependency_unavailable");
      expect(error.message).toContain("npm run apply");
    }
  });

  it("says nothing to a key that was revoked meanwhile", async () => {
    const world = await openFilledWorld(registry);
    const gone = new AppError("unauthorized", "this key was revoked");
    const checkMeta = ({ revokedKeys }: { readonly revokedKeys: readonly string[] }): void => {
      expect(revokedKeys).toEqual([]);
      throw gone;
    };
    await expect(read(world, input, { checkMeta })).rejects.toBe(gone);
  });

  it("is replaced by the truth where there is leave, while it is empty, half filled or down", async () => {
    const world = await openFilledWorld(registry);
    await sell(world, "a");
    await sell(world, "b", { number: 13 });
    const asked = { features: ["by_shop"], entities: [NZ, { ...NZ, number: 99 }] };
    const { trips: _, ...filled } = await read(world, asked);
    expect(filled).toMatchObject({ degraded: [], results: [{ values: [1, 2, null] }, {}] });

    const truth = createMemoryStoredStates(world.truth);
    const bypassed = { ...filled, degraded: ["online_store_bypassed"] };
    const { trips, ...same } = await read(world, asked, { truth });
    expect([trips.length, same]).toEqual([1, filled]);
    world.online.flush();
    expect(await read(world, asked, { truth })).toMatchObject(bypassed);
    await sell(world, "c", { number: 13 });
    expect(await read(world, asked, { truth })).toMatchObject(bypassed);
    for (const code of ["timeout", "dependency_unavailable"] as const) {
      const online = { read: async () => Promise.reject(new AppError(code, "down")) };
      expect(await read(world, asked, { truth, online })).toMatchObject(bypassed);
    }
  });

  it("is replaced by nothing that knows less, nor for an error of another kind", async () => {
    const world = await openFilledWorld(registry);
    world.online.flush();
    const truth = createMemoryStoredStates(world.truth);
    const broken = { read: async () => Promise.reject(new TypeError("a defect")) };
    const asked = read(world, input, { truth, online: broken });
    await expect(asked).rejects.toThrow("a defect");
    const down = new AppError("dependency_unavailable", "The database does not answer.");
    const both = { truth: { read: async () => Promise.reject(down) } };
    await expect(read(world, input, both)).rejects.toBe(down);
    // A key that was revoked is known there too, and so is what is not applied.
    world.truth.revokedKeys.set("t", new Set(["key_1"]));
    const revoked: unknown[] = [];
    const checkMeta = (meta: Meta): void => void revoked.push(...meta.revokedKeys);
    await read(world, input, { truth, checkMeta });
    expect(revoked).toEqual(["key_1"]);
    const unapplied = createMemoryStoredStates(openWorld(registry).truth);
    expect((await refused(read(world, input, { truth: unapplied }))).message).toMatch(
      /npm run apply/,
    );
  });

  it("passes its errors on: a store that is down is not an unknown entity", async () => {
    const world = await openFilledWorld(registry);
    const down = new AppError("timeout", "too slow");
    const online = { read: async () => Promise.reject(down) };
    await expect(read(world, input, { online, whenIncomplete: "degraded" })).rejects.toBe(down);
  });
});

describe("a state of which the newest event was taken back", () => {
  it("moves as_of beyond what was ever in it, so that history says the same", async () => {
    const view = featureView("stock", {
      entity: device,
      source: rows,
      features: { n: count() },
      maxAge: "1h",
    });
    const tables = compileDefinitions([device, rows, view]);
    const plan = tables.views.get("stock") as ViewPlan;
    const image = (order: string, time: number) => ({
      order,
      time,
      device: "d",
      fields: { price: null, level: 1, colour: null, on: null, spot: null },
    });
    const [old, late] = [image("a", NOON - HOUR_MS), image("b", NOON + 5_000)];
    const events = [rowEvent(old, 1, 1), rowEvent(late, 1, 2), rowEvent(late, -1, 3)];
    const ref = { tenant: "t", entity: "device", key: "d" };
    const bytes = stateOfHistory(plan, { ...ref, version: 3, events });
    const { asOf, results } = await readOnline(
      {
        registry: tables,
        vault,
        now: () => NOON,
        whenIncomplete: "unavailable",
        online: {
          read: async () => ({
            meta: {
              generation: "g",
              revision: 1,
              views: { stock: { [plan.specHash]: 1 } },
              revokedKeys: [],
            },
            states: [{ kind: "state", version: 3, bytes }],
          }),
        },
      },
      { tenant: "t", features: ["stock:n"], entities: [{ device: "d" }] },
    );
    expect(asOf).toBe(NOON + 5_001);
    expect(results[0]?.statuses).toEqual(["OUTSIDE_MAX_AGE"]);
  });
});
