import { describe, expect, it } from "vitest";
import { AppError } from "../../../src/errors.ts";
import type { StateKey } from "../../../src/features/online-store.ts";
import type { GivenFeatures } from "../../../src/predictions/given-features.ts";
import { predict, type PredictInput } from "../../../src/predictions/predict.ts";
import { HOUR_MS } from "../../../src/time.ts";
import { withFaults } from "../../support/fakes/with-faults.ts";
import { NOON, openFilledWorld, readingEvent, type World } from "../../support/world.ts";
import { eventsMessage, vault, type Reading } from "../../support/write-path.ts";
import { linearFile, logisticFile, planOf, registry } from "./example.ts";

const N = { feature: "use:n" };
const TOTAL = { feature: "use:total" };
const AMOUNT = { feature: "asked:amount" };
const model = planOf(linearFile([N, TOTAL, { feature: "use:colour", equals: "red" }, AMOUNT]));

const openShop = async (): Promise<World> => openFilledWorld(registry);

async function read(world: World, ...events: readonly (readonly [string, Partial<Reading>])[]) {
  await world.consume([eventsMessage(events.map(([id, fields]) => readingEvent(id, fields)))]);
}

/** Predicts, and tells every call to a store. */
async function ask(world: World, input: Omit<PredictInput, "tenant">, filled = true) {
  const trips: (readonly StateKey[])[] = [];
  let ids = 0;
  const online = withFaults(
    { ...world.online },
    { before: (_, [, keys]) => void trips.push(keys as readonly StateKey[]) },
  );
  const ctx = { registry, online, vault, now: () => world.clock.now } as const;
  const answer = await predict(
    {
      ...ctx,
      newId: () => `prd_${(ids += 1)}`,
      whenIncomplete: filled ? "unavailable" : "degraded",
    },
    { tenant: world.tenant, ...input },
  );
  return { ...answer, trips };
}

const refused = async (asking: Promise<unknown>): Promise<AppError> => {
  const error: unknown = await asking.catch((cause: unknown) => cause);
  if (error instanceof AppError) return error;
  throw new Error("it was not refused", { cause: error });
};

const d = { device: "d" };

describe("a prediction of an entity", () => {
  it("reads the features that the model takes in one round trip, and nothing else", async () => {
    const world = await openShop();
    await read(world, ["a", {}], ["b", {}], ["c", { device: "e" }]);
    const { trips, ...answer } = await ask(world, {
      model,
      entities: [d, { device: "e" }, d],
      request: [{ amount: 100 }, { amount: 200 }, { amount: 300 }],
    });
    expect(trips.map((keys) => keys.map(({ key }) => key))).toEqual([["d", "e"]]);
    const rest = { label: null, probabilities: null, degraded: [] };
    expect(answer).toEqual({
      model: { name: "m", version: "5" },
      asOf: NOON,
      predictions: [
        { id: "prd_1", entity: d, value: 106, version: { use: "1.2", asked: "3" }, ...rest },
        {
          id: "prd_1_1",
          entity: { device: "e" },
          value: 203.5,
          version: { use: "1.1", asked: "3" },
          ...rest,
        },
        { id: "prd_1_2", entity: d, value: 306, version: { use: "1.2", asked: "3" }, ...rest },
      ],
    });
  });

  it("leaves alone the views that the model does not take", async () => {
    const world = await openShop();
    const onlyAsked = planOf(linearFile([N]));
    const { predictions } = await ask(world, { model: onlyAsked, entities: [d] });
    expect(predictions[0]).toMatchObject({ value: 0, version: { use: "1.0" }, degraded: [] });
  });

  it("names the features it had to default", async () => {
    const world = await openShop();
    await read(world, ["a", { fields: { level: 1 } }]);
    const input = {
      model,
      entities: [d, { device: "e" }],
      request: [{ amount: 1 }, { amount: 1 }],
    };
    const { predictions } = await ask(world, input);
    expect(predictions.map(({ value, degraded }) => [value, degraded])).toEqual([
      [2, ["use:total", "use:colour"]],
      // Nothing is known of it, and that nothing happened is known: a count of 0 is a value.
      [1, ["use:total", "use:colour"]],
    ]);
  });

  it("takes a feature's own default for its value, whatever its status", async () => {
    const world = await openShop();
    await read(world, ["a", {}]);
    const levels = planOf(linearFile([N, { feature: "use:level" }]));
    world.clock.now = NOON + 3 * HOUR_MS;
    const { predictions } = await ask(world, { model: levels, entities: [d, { device: "e" }] });
    expect(predictions.map(({ value, degraded }) => [value, degraded])).toEqual([
      // Too old to be told: even its count is missing.
      [7, ["use:n"]],
      [7, []],
    ]);
  });

  it("knows nothing of an erased entity", async () => {
    const world = await openShop();
    const stateId = registry.views.get("use")?.stateId ?? "";
    const key = { tenant: world.tenant, stateId, key: "d" };
    await world.online.write([{ ...key, kind: "erased", version: 9 }]);
    const all = planOf(linearFile([N, { feature: "use:level" }], { intercepts: [0.5] }));
    const { predictions } = await ask(world, { model: all, entities: [d] });
    expect(predictions[0]).toMatchObject({ value: 0.5, degraded: ["use:n", "use:level"] });
  });

  it("has no value where a feature is missing that the model needs", async () => {
    const world = await openShop();
    const strict = planOf(logisticFile([N, { ...TOTAL, default: null }]));
    const { predictions } = await ask(world, { model: strict, entities: [d], explain: true });
    expect(predictions[0]).toEqual({
      id: "prd_1",
      entity: d,
      value: null,
      label: null,
      probabilities: null,
      version: { use: "1.0" },
      degraded: ["use:total"],
    });
  });

  it("names an on-demand function that failed, where it failed and the model takes it", async () => {
    const world = await openShop();
    const roots = planOf(linearFile([N, { feature: "asked:root" }]));
    const request = [{ amount: 16 }, { amount: -1 }];
    const { predictions } = await ask(world, { model: roots, entities: [d, d], request });
    expect(predictions.map(({ value, degraded }) => [value, degraded])).toEqual([
      [4, []],
      [0, ["asked:root"]],
    ]);
  });

  it("says so while the online store is being filled", async () => {
    const world = await openShop();
    await read(world, ["a", {}]);
    world.online.flush();
    const counts = planOf(linearFile([N]));
    const { predictions } = await ask(world, { model: counts, entities: [d] }, false);
    expect(predictions[0]).toMatchObject({
      value: 0,
      version: {},
      degraded: ["use:n", "online_store_incomplete"],
    });
    const error = await refused(ask(world, { model: counts, entities: [d] }));
    expect(error.code).toBe("dependency_unavailable");
  });

  it("refuses a request without what on-demand features need", async () => {
    const world = await openShop();
    const { code, errors } = await refused(ask(world, { model, entities: [d] }));
    expect([code, errors[0]?.path]).toEqual(["unprocessable", "request[0].amount"]);
  });

  it("explains itself exactly", async () => {
    const world = await openShop();
    await read(world, ["a", {}], ["b", {}]);
    const inputs = [
      { ...N, mean: 1, scale: 2 },
      { ...TOTAL, transform: "log1p" as const },
      { feature: "use:colour", equals: "red" },
      { feature: "use:colour", equals: "blue", mean: 0.5 },
    ];
    const parts = { coefficients: [[2, -1, 0.25, 3]], intercepts: [0.75] };
    const file = planOf(logisticFile(inputs, parts));
    const { predictions } = await ask(world, { model: file, entities: [d], explain: true });
    const [one] = predictions;
    expect(one?.base).toBe(0.75);
    expect(one?.contributions).toEqual([
      { feature: "use:n", value: 2, contribution: 1 },
      { feature: "use:total", value: "3", contribution: -Math.log1p(3) },
      { feature: "use:colour", value: "red", contribution: -1.25 },
    ]);
    const score = 0.75 + 1 - Math.log1p(3) - 1.25;
    expect(one?.value).toBeCloseTo(1 / (1 + Math.exp(-score)), 15);
    expect(one?.label).toBe("no");
  });

  it("is as of the instant that the caller may give", async () => {
    const world = await openShop();
    const counts = planOf(linearFile([N]));
    await read(world, ["a", {}]);
    const asOf = NOON + 2 * HOUR_MS;
    const answer = await ask(world, { model: counts, entities: [d], asOf });
    expect(answer).toMatchObject({ asOf, predictions: [{ value: 0 }] });
  });
});

describe("a prediction from given features", () => {
  it("asks no store, and takes names in both forms", async () => {
    const world = await openShop();
    const { trips, ...answer } = await ask(world, {
      model,
      features: [
        { "use:n": 2, use__total: "3.5", "use:colour": "red", asked__amount: 10 },
        // A feature of the service that the model does not take.
        { "asked:amount": 1, "use:level": 9, use__colour: null },
      ],
    });
    expect(trips).toEqual([]);
    const rest = { label: null, probabilities: null, version: {} };
    expect(answer).toEqual({
      model: { name: "m", version: "5" },
      asOf: NOON,
      predictions: [
        { id: "prd_1", value: 16.5, degraded: [], ...rest },
        { id: "prd_1_1", value: 1, degraded: ["use:n", "use:total", "use:colour"], ...rest },
      ],
    });
  });

  it("refuses names that the service does not have, and one in both forms", async () => {
    const world = await openShop();
    const rows: readonly GivenFeatures[] = [
      { "use:n": 1, n: 2 },
      { use__n: 1, "use:n": 1, "use:m": 1, constructor: 1 },
    ];
    const { code, errors } = await refused(ask(world, { model, features: rows }));
    expect(code).toBe("unprocessable");
    expect(errors.map(({ path, code: why }) => [path, why])).toEqual([
      ["features[0].n", "unknown_feature"],
      ["features[1].use__n", "repeated_feature"],
      ["features[1].use:m", "unknown_feature"],
      ["features[1].constructor", "unknown_feature"],
    ]);
    expect(errors[0]?.detail).toBe('the service "usage" has no "n"');
  });

  it("is refused beside entities, beside a request, and where neither is given", async () => {
    const world = await openShop();
    for (const input of [
      {},
      { entities: [d], features: [{}] },
      { features: [{}], request: [{}] },
    ]) {
      expect((await refused(ask(world, { model, ...input }))).code).toBe("invalid_request");
    }
  });
});
