import { describe, expect, it } from "vitest";
import { profileViews } from "../../../src/features/quality/profile-views.ts";
import { role } from "../../../src/governance/role.ts";
import { DAY_MS, HOUR_MS } from "../../../src/time.ts";
import { createTestApi, NOON, payment, type TestApi } from "../../support/requests.ts";

interface Quality {
  readonly profile: object | null;
  readonly features: readonly { readonly name: string; readonly drift: object | null }[];
}

/** Payments of so many customers a minute before the clock, from countries in turn. */
async function pay(api: TestApi, customers: number, tenant = "acme", countries = ["DE", "AT"]) {
  const key = await api.key({ tenant });
  const at = new Date(api.clock.now - 60_000).toISOString();
  const json = Array.from({ length: customers }, (_, i) =>
    payment({
      payment_id: `${api.clock.now}-${i}`,
      customer_id: `c${i}`,
      amount: `${i + 1}.50`,
      country: countries[i % countries.length],
      paid_at: at,
    }),
  );
  await api.call("POST /v1/sources/payments/events", { key, json });
  await api.settle();
}

const VIEW = "GET /v1/quality/customer_spend";

describe("GET /v1/quality", () => {
  it("tells of every view, also where nothing is known yet", async () => {
    const api = await createTestApi();
    const key = await api.key({ roles: ["operator"] });
    const answer = await api.call("GET /v1/quality", { key });
    expect(answer.status).toBe(200);
    const { items, cursor } = await answer.json<{ items: object[]; cursor: null }>();
    expect(cursor).toBeNull();
    expect(items).toHaveLength(6);
    expect(items[0]).toMatchObject({
      view: "customer_spend",
      version: 1,
      profile: null,
      drift: null,
      note: "no profile yet: one is taken every hour",
      window: { from: NOON - DAY_MS, to: NOON, profiles: 0 },
      baseline: { from: NOON - 8 * DAY_MS, to: NOON - DAY_MS, profiles: 0 },
    });
  });

  it("tells null rates, distributions and freshness of a view", async () => {
    const api = await createTestApi();
    await pay(api, 10);
    await profileViews(api.ctx());
    const answer = await api.call(VIEW, { key: await api.key({ roles: ["scientist"] }) });
    expect(answer.headers.get("server-timing")).toMatch(/postgres;dur=0.0;desc="1"/);
    const quality = await answer.json<Quality>();
    expect(quality).toMatchObject({
      profile: {
        taken_at: NOON,
        entities: 10,
        not_found: 0,
        outside_max_age: 0,
        event_age_ms: 60_000,
        ingest_age_ms: 0,
        entity_age_ms: { p50: expect.closeTo(60_000, -4) as number },
      },
      note: "no baseline yet: the first profile is of 2026-11-22T12:00:00.000Z",
    });
    const feature = (name: string) =>
      quality.features.find((one) => one.name === `customer_spend:${name}`);
    expect(feature("payments_1h")).toEqual({
      name: "customer_spend:payments_1h",
      type: "integer",
      null_rate: 0,
      numbers: { min: 1, p5: 1, p50: 1, p95: 1, max: 1, mean: 1 },
      commonest: null,
      others: null,
      baseline_null_rate: null,
      drift: null,
    });
    expect(feature("amount_sum_1h")).toMatchObject({
      type: "decimal",
      numbers: { min: 1.5, max: 10.5, mean: 6 },
    });
    expect(feature("last_country")).toMatchObject({
      type: "string",
      numbers: null,
      commonest: [
        { value: "AT", share: 0.5 },
        { value: "DE", share: 0.5 },
      ],
      others: 0,
    });
  });

  it("tells the drift of the last hours against those before", async () => {
    const api = await createTestApi();
    await pay(api, 60);
    for (const _ of [1, 2]) {
      await profileViews(api.ctx());
      api.clock.now += HOUR_MS;
    }
    await pay(api, 60, "acme", ["FR"]);
    await profileViews(api.ctx());
    const key = await api.key();
    const answer = await api.call(`${VIEW}?window=1h&baseline=2h`, { key });
    const { features, ...quality } = await answer.json<Quality>();
    expect(quality).toMatchObject({
      note: null,
      window: { profiles: 1 },
      baseline: { profiles: 2 },
      drift: { psi: 0, reading: "stable" },
    });
    const drift = (name: string) =>
      features.find((one) => one.name === `customer_spend:${name}`)?.drift;
    expect(drift("last_country")).toMatchObject({ reading: "shifted" });
    expect(drift("amount_max_1d")).toMatchObject({ psi: 0, reading: "stable" });
  });

  it("shows a tenant its own profiles alone", async () => {
    const api = await createTestApi({ tenants: ["acme", "globex"] });
    await pay(api, 4);
    await pay(api, 2, "globex");
    await profileViews(api.ctx());
    const entities = async (tenant: string) => {
      const answer = await api.call(VIEW, { key: await api.key({ tenant }) });
      return (await answer.json<{ profile: { entities: number } | null }>()).profile?.entities;
    };
    expect([await entities("acme"), await entities("globex"), await entities("initech")]).toEqual([
      4,
      2,
      undefined,
    ]);
  });

  it("is for who may read metrics, of these views", async () => {
    const narrow = role("narrow", [{ actions: ["read_metrics"], resources: ["view:customer_*"] }]);
    const api = await createTestApi({ roles: [narrow] });
    const status = async (path: string, name: string) =>
      (await api.call(`GET /v1/${path}`, { key: await api.key({ roles: [name] }) })).status;
    expect(await status("quality/customer_spend", "narrow")).toBe(200);
    expect(await status("quality/merchant_activity", "narrow")).toBe(403);
    expect(await status("quality", "narrow")).toBe(403);
    expect(await status("quality/nothing", "narrow")).toBe(403);
    expect(await status("quality/nothing", "admin")).toBe(404);
    expect(await status("quality/customer_spend", "frontend")).toBe(403);
  });

  it("refuses windows that it has no profiles for", async () => {
    const api = await createTestApi();
    const key = await api.key();
    for (const window of ["1", "30m", "61d", "0d", "day", "1441h"]) {
      const answer = await api.call(`${VIEW}?window=${window}`, { key });
      expect([window, answer.status]).toEqual([window, 400]);
    }
    expect((await api.call(`${VIEW}?window=60m&baseline=60d`, { key })).status).toBe(200);
  });
});
