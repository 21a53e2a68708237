import { describe, expect, it } from "vitest";
import { AppError } from "../../../src/errors.ts";
import { consumeDeadLetters } from "../../../src/ingest/dead-letters.ts";
import { createTestApi, payment, type TestApi } from "../../support/requests.ts";

const EVENTS = "POST /v1/sources/payments/events";
const REPLAY = "POST /v1/quarantine/replay";

interface Item {
  readonly id: string;
  readonly source: string;
  readonly reason: string;
  readonly replayed_at: number | null;
}

async function list(api: TestApi, key: string, query = "") {
  const answer = await api.call(`GET /v1/quarantine${query}`, { key });
  expect(answer.status).toBe(200);
  return await answer.json<{ items: readonly Item[]; cursor: string | null }>();
}

async function replay(api: TestApi, key: string, ids: readonly string[]) {
  const answer = await api.call(REPLAY, { key, json: { ids } });
  expect(answer.status).toBe(202);
  return await answer.json<{
    replayed: string[];
    refused: { id: string; code: string; quarantine_id: string | null }[];
    not_found: string[];
  }>();
}

async function countOf(api: TestApi, key: string): Promise<unknown> {
  const answer = await api.call("GET /v1/features/customer_lifetime/c1", { key });
  return (await answer.json<{ results: { values: unknown[] }[] }>()).results[0]?.values[0];
}

/** Sends a payment whose message ends in the dead-letter queue. */
async function deadLetter(api: TestApi, key: string): Promise<void> {
  await api.call(EVENTS, { key, json: payment() });
  const { quarantine, vault, deadLetters, now, note } = api.ctx();
  const deliveries = api.queue.drain().map(({ body }) => ({
    id: "m1",
    body,
    attempts: 9,
    ack: () => undefined,
    retry: () => undefined,
  }));
  await consumeDeadLetters({ vault, quarantine, archive: deadLetters, now, note }, deliveries);
}

describe("GET /v1/quarantine", () => {
  it("says why events were not taken, newest first, and never what they held", async () => {
    const api = await createTestApi();
    const key = await api.key({ roles: ["operator"] });
    const admin = await api.key();
    const email = "grace.hopper@example.com";
    for (let i = 0; i < 5; i += 1) {
      api.clock.now += 1;
      await api.call(EVENTS, {
        key: admin,
        json: payment({ payment_id: `p${i}`, email, amount: "no" }),
      });
    }
    await api.settle();
    const first = await list(api, key, "?limit=3");
    const second = await list(api, key, `?limit=3&cursor=${first.cursor}`);
    const ids = [...first.items, ...second.items].map(({ id }) => id);
    expect(ids).toEqual(ids.toSorted().toReversed());
    expect(ids).toHaveLength(5);
    expect(second.cursor).toBeNull();
    expect(first.items[0]).toEqual({
      id: ids[0],
      source: "payments",
      reason: "invalid_event",
      detail: "amount: expected a decimal of at most 38 digits",
      event_id: null,
      received_at: api.clock.now,
      replayed_at: null,
    });
    const everything = JSON.stringify([first, [...api.truth.quarantine.values()], api.lines]);
    expect(everything).not.toContain("hopper");
    expect((await list(api, key, "?source=other")).items).toEqual([]);
  });

  it.each(["?limit=0", "?limit=201", "?limit=x", "?cursor=nonsense", "?cursor='"])(
    "refuses %s",
    async (query) => {
      const api = await createTestApi();
      const answer = await api.call(`GET /v1/quarantine${query}`, { key: await api.key() });
      expect(answer.status).toBe(400);
    },
  );

  it("answers 503 while Postgres is down", async () => {
    const api = await createTestApi();
    api.broken.set("postgres", new AppError("dependency_unavailable", "does not answer"));
    const answer = await api.call("GET /v1/quarantine", { key: await api.key() });
    expect(answer.status).toBe(503);
  });
});

describe("POST /v1/quarantine/replay", () => {
  it("takes a dead letter as it was accepted: masked once, known since then, counted once", async () => {
    const api = await createTestApi();
    const key = await api.key();
    await deadLetter(api, key);
    const { items } = await list(api, key);
    expect(items).toMatchObject([{ reason: "dead_letter", source: "payments" }]);
    const ids = items.map(({ id }) => id);
    const accepted = api.clock.now;
    api.clock.now += 60_000;
    expect(await replay(api, key, ids)).toEqual({ replayed: ids, refused: [], not_found: [] });
    await api.settle();
    expect(await countOf(api, key)).toBe(1);
    const [event] = api.truth.events.values();
    expect(event?.ingestTime).toBe(accepted);
    expect(event?.body).toContain('"email":"t1_');

    // The same payment, sent by the shop again, is a repeat: nothing was tokenised twice.
    await api.call(EVENTS, { key, json: payment() });
    await api.settle();
    expect(await countOf(api, key)).toBe(1);
    expect((await list(api, key)).items).toMatchObject([{ replayed_at: api.clock.now }]);
    expect(await replay(api, key, ids)).toEqual({ replayed: [], refused: [], not_found: ids });
  });

  it("validates and masks a refused record anew, and keeps it when it is refused again", async () => {
    const api = await createTestApi();
    const key = await api.key();
    await api.call(EVENTS, {
      key,
      json: [
        payment({ paid_at: "2026-11-22T13:00:00Z", email: "grace.hopper@example.com" }),
        payment({ payment_id: "p2", amount: "no" }),
      ],
    });
    await api.settle();
    const { items } = await list(api, key);
    const tooEarly = items.find(({ reason }) => reason === "event_in_future")?.id ?? "";
    const invalid = items.find(({ reason }) => reason === "invalid_event")?.id ?? "";
    api.clock.now += 3_600_000;
    const answer = await replay(api, key, [tooEarly, invalid]);
    expect(answer.replayed).toEqual([tooEarly]);
    expect(answer.refused).toMatchObject([{ id: invalid, code: "invalid_event" }]);
    expect(JSON.stringify(api.queue.drain().map((one) => one.body))).not.toContain("hopper");
    const anew = answer.refused[0]?.quarantine_id;
    expect(anew).toMatch(/^qrt_/);
    expect(anew).not.toBe(invalid);
  });

  it("keeps when an imported event was known", async () => {
    const api = await createTestApi();
    const key = await api.key();
    const knownAt = Date.parse("2026-11-01T00:00:00Z");
    const event = payment({ paid_at: "2026-11-22T13:00:00Z" });
    const json = { events: [{ event, known_at: knownAt }] };
    await api.call("POST /v1/sources/payments/import", { key, json });
    await api.settle();
    api.clock.now += 3_600_000;
    await replay(
      api,
      key,
      (await list(api, key)).items.map(({ id }) => id),
    );
    const queued = api.queue.drain().map(({ body }) => body);
    expect(queued).toMatchObject([{ kind: "events", events: [{ knownAt }] }]);
  });

  it("brings an event that is refused again back into quarantine", async () => {
    const api = await createTestApi();
    const key = await api.key();
    await api.call(EVENTS, { key, json: payment() });
    await api.settle();
    await api.call(EVENTS, { key, json: payment({ amount: "99" }) });
    await api.settle();
    const { items } = await list(api, key);
    expect(items).toMatchObject([{ reason: "event_id_conflict" }]);
    await replay(
      api,
      key,
      items.map(({ id }) => id),
    );
    // Later than the mark, or a fresh refusal would be closed with it.
    expect(api.queue.drain()).toMatchObject([{ delaySeconds: 2 }]);
    api.queue.drain();
    await api.call(EVENTS, { key, json: payment({ amount: "99" }) });
    await api.settle();
    expect((await list(api, key)).items.filter((one) => one.replayed_at === null)).toHaveLength(1);
  });

  it("does not replay what was cut because it was too large", async () => {
    const api = await createTestApi();
    const key = await api.key();
    await api.call(EVENTS, { key, json: payment({ country: "東".repeat(60_000) }) });
    await api.settle();
    const ids = (await list(api, key)).items.map(({ id }) => id);
    expect(await replay(api, key, ids)).toMatchObject({
      replayed: [],
      refused: [{ code: "event_too_large", quarantine_id: null }],
    });
    expect((await list(api, key)).items).toMatchObject([{ replayed_at: null }]);
  });

  it("refuses an entry that does not open, and ids that are none", async () => {
    const api = await createTestApi();
    const key = await api.key();
    await deadLetter(api, key);
    const [entry] = api.truth.quarantine.values();
    if (entry === undefined) throw new Error("nothing in quarantine");
    api.truth.quarantine.set(`acme\0${entry.id}`, {
      ...entry,
      payload: entry.payload.slice(0, -4),
    });
    expect(await replay(api, key, [entry.id])).toMatchObject({ refused: [{ code: "unreadable" }] });
    const bad = await api.call(REPLAY, { key, json: { ids: ["p1"] } });
    expect(bad.status).toBe(400);
    expect((await api.call(REPLAY, { key, json: { ids: [] } })).status).toBe(400);
  });
});
