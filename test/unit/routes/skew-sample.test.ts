import { describe, expect, it } from "vitest";
import { AppError } from "../../../src/errors.ts";
import { auditAnswers } from "../../../src/features/audit-answers.ts";
import type { ServedAnswer } from "../../../src/features/served-answers.ts";
import {
  createTestApi,
  NOON,
  payment,
  type TestApi,
  type TestApiOptions,
} from "../../support/requests.ts";

const ONLINE = "POST /v1/features/online";
const NO_STORE_BUT_REDIS =
  /^redis;dur=[\d.]+;desc="1", postgres;dur=0\.0;desc="0", queue;dur=0\.0;desc="0", /;

async function open(options: TestApiOptions = { skewSample: 1 }) {
  const api = await createTestApi(options);
  const key = await api.key();
  const json = [payment(), payment({ payment_id: "p2", amount: "7.40" })];
  await api.call("POST /v1/sources/payments/events", { key, json });
  await api.settle();
  await Promise.all(api.after.splice(0));
  const kept = (): readonly ServedAnswer[] => [...api.truth.servedAnswers.values()];
  return { api, key, kept };
}

/** Waits for what goes on after the answers, and takes it through the queue. */
async function settled(api: TestApi): Promise<void> {
  await Promise.all(api.after.splice(0));
  await api.settle();
}

const ASKED = {
  service: "fraud_features",
  entities: [{ customer_id: "c1" }, { customer_id: "nobody" }],
  request: [
    { amount: 25, country: "DE" },
    { amount: 25, country: "DE" },
  ],
};

describe("an online answer that is sampled", () => {
  it("is logged after it was given, and costs the request no round trip", async () => {
    const { api, key, kept } = await open();
    const answer = await api.call(ONLINE, { key, json: ASKED });
    expect(answer.status).toBe(200);
    expect(answer.headers.get("server-timing")).toMatch(NO_STORE_BUT_REDIS);
    await settled(api);
    const { names, results } = await answer.json<{
      names: string[];
      results: { values: unknown[]; statuses: string[]; version: Record<string, string> }[];
    }>();
    const [first] = kept();
    const columns = (first?.features ?? []).map((name) => names.indexOf(`${first?.view}:${name}`));
    expect(first).toMatchObject({
      tenant: "acme",
      service: "fraud_features",
      view: "customer_spend",
      entity: "customer",
      key: "c1",
      version: results[0]?.version["customer_spend"],
      asOf: NOON,
      servedAt: NOON,
      values: columns.map((at) => results[0]?.values[at]),
      statuses: columns.map((at) => results[0]?.statuses[at]),
    });
    expect(new Set(kept().map((one) => one.key))).toEqual(new Set(["c1", "nobody"]));
  });

  it("is replayed from history to the same values, whatever route gave it", async () => {
    const { api, key, kept } = await open();
    await api.call(ONLINE, { key, json: ASKED });
    await api.call("GET /v1/features/customer_lifetime/c1", { key });
    const { entities, request } = ASKED;
    await api.call("POST /v1/models/fraud/predictions", { key, json: { entities, request } });
    await settled(api);
    const services = kept().map(({ service, view }) => `${service} ${view}`);
    expect(services).toContain("null customer_lifetime");
    expect(services).toContain("null customer_spend");
    await api.call("POST /v1/sources/payments/events", {
      key,
      json: payment({ payment_id: "late" }),
    });
    await settled(api);
    const input = { tenants: ["acme"], since: 0, limit: 1_000, shown: 9 };
    const report = await auditAnswers(api.ctx(), input);
    expect(report).toMatchObject({ answers: kept().length, differences: [] });
    expect(report.values).toBeGreaterThan(20);
  });

  it("is given as ever where the queue refuses the sample", async () => {
    const { api, key, kept } = await open();
    api.broken.set("queue", new AppError("dependency_unavailable", "The queue does not answer."));
    const answer = await api.call(ONLINE, { key, json: ASKED });
    expect(answer.status).toBe(200);
    await Promise.all(api.after.splice(0));
    expect(api.lines.map(({ message }) => message)).toContain("sampled answers are not logged");
    expect(kept()).toEqual([]);
  });

  it("says nothing of a store that is being filled", async () => {
    const { api, key } = await open({ skewSample: 1, onIncompleteStore: "degraded" });
    api.online.flush();
    expect((await api.call(ONLINE, { key, json: ASKED })).status).toBe(200);
    await Promise.all(api.after.splice(0));
    expect(api.queue.drain()).toEqual([]);
  });

  it("is one of a share that is set, each with the same chance", async () => {
    let draw = 0;
    const { api, key } = await open({ skewSample: 0.3, random: () => draw });
    const json = { features: ["customer_spend"], entities: [{ customer_id: "c1" }] };
    const sampled: number[] = [];
    for (draw of [0.29, 0.3, 0.99, 0]) {
      await api.call(ONLINE, { key, json });
      await Promise.all(api.after.splice(0));
      sampled.push(api.queue.drain().length);
    }
    expect(sampled).toEqual([1, 0, 0, 1]);
  });

  it("is none where the share is 0", async () => {
    const { api, key } = await open({ skewSample: 0 });
    await api.call(ONLINE, { key, json: ASKED });
    expect(api.after).toEqual([]);
  });
});
