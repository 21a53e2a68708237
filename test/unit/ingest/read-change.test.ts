import { describe, expect, it } from "vitest";
import { z } from "zod";
import { count } from "../../../src/features/aggregation.ts";
import { entity, featureView } from "../../../src/features/define.ts";
import { apiKey, tableSource } from "../../../src/features/define-source.ts";
import type { LogEvent } from "../../../src/features/event-log.ts";
import { bigint, decimal, pii } from "../../../src/features/fields.ts";
import { compileDefinitions } from "../../../src/features/registry.ts";
import { parseExactJson } from "../../../src/ingest/exact-json.ts";
import { readChange } from "../../../src/ingest/read-change.ts";
import type { Rejection } from "../../../src/ingest/rejection.ts";
import { NOON } from "../../support/world.ts";
import { vault } from "../../support/write-path.ts";

const accept = [apiKey()];
const schema = z.strictObject({
  order_id: z.string(),
  customer: z.string().nullable(),
  amount: decimal(),
  at: z.number(),
});
const customer = entity("customer", { key: "customer" });
const orders = tableSource("orders", { schema, key: "order_id", eventTime: "at", accept });
const stamped = tableSource("stamped", {
  schema: z.object({ ...schema.shape, updated_at: z.iso.datetime({ offset: true }) }),
  key: "order_id",
  eventTime: "at",
  order: "updated_at",
  accept,
});
const lines = tableSource("lines", {
  schema: z.object({ order_id: bigint(), line: z.number(), at: z.number(), revision: bigint() }),
  key: ["order_id", "line"],
  eventTime: "at",
  order: "revision",
  accept,
});
const people = tableSource("people", {
  schema: z.object({ email: pii(z.email(), "token"), at: z.number() }),
  key: "email",
  eventTime: "at",
  accept,
});
const registry = compileDefinitions([
  customer,
  orders,
  stamped,
  lines,
  people,
  featureView("by_customer", { entity: customer, source: orders, features: { n: count() } }),
]);

async function read(text: string, name = "orders"): Promise<readonly LogEvent[] | Rejection> {
  const source = registry.sources.get(name);
  const value = parseExactJson(text);
  if (source === undefined || source.table === null || !value.ok) throw new Error("wrong test");
  const input = { tenant: "t", source, value: value.value, ingestTime: NOON, knownAt: null };
  const changes = await readChange({ registry, vault }, source.table, input);
  return changes.ok ? changes.value : changes.error;
}

const row = { order_id: "o1", customer: "ada", amount: "1.50", at: NOON - 1 };

const readJson = (value: unknown, name?: string) => read(JSON.stringify(value), name);

async function events(value: unknown, name?: string): Promise<readonly LogEvent[]> {
  const changes = await readJson(value, name);
  if ("detail" in changes) throw new Error(changes.detail);
  return changes;
}

const idsOf = async (value: unknown, name?: string): Promise<readonly string[]> =>
  (await events(value, name)).map(({ eventId }) => eventId);

async function detailOf(value: unknown, name?: string): Promise<string> {
  const changes = await readJson(value, name);
  return "detail" in changes ? `${changes.code}: ${changes.detail}` : "accepted";
}

describe("a change of a row", () => {
  it("is kept as the log is to be told of it", async () => {
    expect(await events({ op: "upsert", row, order: 7 })).toEqual([
      {
        tenant: "t",
        source: "orders",
        eventId: "017+o1",
        orderKey: "o1",
        sign: 1,
        eventTime: NOON - 1,
        originalEventTime: null,
        ingestTime: NOON,
        knownAt: null,
        body: `{"amount":"1.5","at":"${NOON - 1}","customer":"ada","order_id":"o1"}`,
        bodyHash: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
        row: { key: "o1", order: "017+" },
      },
    ]);
  });

  it("is the same whichever way it is said that the row is there", async () => {
    const [first] = await events({ op: "upsert", row, order: 7 });
    for (const op of ["insert", "update", "read"]) {
      expect(await events({ op, row, order: 7, before: { order_id: "o1" } })).toEqual([first]);
      expect(await events({ op, row, order: "7", before: null, ts: 5 })).toEqual([first]);
      expect(await events({ op, row, order: [7], before: { order_id: null } })).toEqual([first]);
    }
  });

  it("keeps the numbers of its row and its order exactly", async () => {
    const text = `{"op":"update","order":9007199254740993,"row":{"order_id":"o1","customer":null,"amount":9007199254740993.10,"at":${NOON}}}`;
    const body = expect.stringContaining('"9007199254740993.1"') as string;
    expect(await read(text)).toMatchObject([{ eventId: "169007199254740993+o1", body }]);
  });

  it("of a delete needs the row's key alone, wherever it is", async () => {
    const [gone] = await events({ op: "delete", row: { order_id: "o1" }, order: 7 });
    expect(gone).toEqual({
      tenant: "t",
      source: "orders",
      eventId: "017-o1",
      orderKey: "o1",
      sign: -1,
      eventTime: NOON,
      originalEventTime: null,
      ingestTime: NOON,
      knownAt: null,
      body: '{"order_id":"o1"}',
      bodyHash: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      row: { key: "o1", order: "017-" },
    });
    const others = [
      { op: "delete", before: { order_id: "o1" }, order: 7 },
      { op: "delete", row: null, before: { ...row, amount: "no number" }, order: 7 },
      { op: "delete", row: {}, before: { order_id: "o1", more: 1 }, order: "7" },
      { op: "delete", row, before: null, order: 7 },
    ];
    for (const other of others) expect(await events(other)).toEqual([gone]);
  });

  it("of its key is a delete of the old one and the row under the new one", async () => {
    const change = { op: "update", row, before: { order_id: "o0", amount: null }, order: 7 };
    expect(await events(change)).toMatchObject([
      { eventId: "017-o0", sign: -1, body: '{"order_id":"o0"}', row: { key: "o0", order: "017-" } },
      { eventId: "017+o1", sign: 1, row: { key: "o1", order: "017+" } },
    ]);
    const line = { order_id: "7", line: 1, at: NOON, revision: 9 };
    const moved = { op: "update", row: line, before: { order_id: 7, line: 2 } };
    expect(await idsOf(moved, "lines")).toEqual(["019-7,2", "019+7,1"]);
    expect(await idsOf({ ...moved, before: { order_id: 7.0, line: 1 } }, "lines")).toEqual([
      "019+7,1",
    ]);
  });

  it("is ordered by the source's column where it has one, also where it is deleted", async () => {
    const at = "2026-06-15T12:00:00.000001Z";
    const stampedRow = { ...row, updated_at: at };
    const [there] = await events({ op: "update", row: stampedRow, order: 1 }, "stamped");
    const [gone] = await events({ op: "delete", before: stampedRow }, "stamped");
    expect(gone?.row?.order).toBe(there?.row?.order.replace("+", "-"));
    const later = { op: "delete", row: { order_id: "o1" }, order: "2026-06-15T12:00:00.000002Z" };
    const [after] = await events(later, "stamped");
    expect((after?.row?.order ?? "") > (gone?.row?.order ?? "")).toBe(true);
    expect(await detailOf({ ...later, order: 5 }, "stamped")).toMatch(
      /^invalid_event: updated_at:/,
    );
    expect(await detailOf({ ...later, order: null }, "stamped")).toBe(
      "invalid_event: updated_at: a delete needs it too, in its row or as its order",
    );
    const line = { order_id: "7", line: 1, at: NOON };
    const negative = { op: "upsert", row: { ...line, revision: "-1" } };
    expect(await detailOf(negative, "lines")).toMatch(/^invalid_event: revision: expected a whole/);
  });

  it("has only tokens of what is personal, in its key too", async () => {
    const changes = [
      { op: "upsert", row: { email: "Ada@example.com", at: NOON }, order: 1 },
      { op: "delete", row: { email: "ada@example.com" }, order: 2 },
      {
        op: "update",
        row: { email: "eve@example.com", at: NOON },
        before: { email: "ADA@example.com" },
        order: 3,
      },
    ];
    const all = await Promise.all(changes.map((change) => events(change, "people")));
    expect(JSON.stringify(all)).not.toMatch(/example/i);
    const keys = all.flat().map(({ row: of }) => of?.key ?? "");
    expect(keys[0]).toMatch(/^t1_[\w-]{22}$/);
    expect(keys.slice(1, 3)).toEqual([keys[0], keys[0]]);
    expect(keys[3]).not.toBe(keys[0]);
  });

  it("is refused with what to do about it", async () => {
    const details = {
      '{"op":"upsert"': [row, [], 5, null],
      "op: expected": [{ op: "c", row, order: 1 }, { op: null }],
      "row: expected the row": [
        { op: "insert", order: 1 },
        { op: "insert", row: [row], order: 1 },
      ],
      "amount: expected a decimal": [{ op: "insert", row: { ...row, amount: "x" }, order: 1 }],
      "order: give": [
        { op: "insert", row },
        { op: "delete", row, order: null },
      ],
      "order: expected": [{ op: "insert", row, order: "soon" }],
      "row: a delete needs the row's key: order_id": [
        { op: "delete", order: 1 },
        { op: "delete", row: {}, before: { order_id: null }, order: 1 },
      ],
      "order_id: expected string": [{ op: "delete", row: { order_id: 5 }, order: 1 }],
      "order_id: an entity key is empty": [
        { op: "upsert", row: { ...row, order_id: "" }, order: 1 },
      ],
      "before: expected the row as it was": [
        { op: "update", row, before: "x", order: 1 },
        { op: "update", row, before: [row], order: 1 },
        { op: "delete", row, before: 5, order: 1 },
      ],
      "before: order_id: expected string": [
        { op: "update", row, before: { order_id: 5 }, order: 1 },
      ],
      "customer: an entity key is empty": [
        { op: "insert", row: { ...row, customer: "" }, order: 1 },
      ],
      "expected no other fields": [{ op: "insert", row: { ...row, ada: 1 }, order: 1 }],
    };
    for (const [detail, changes] of Object.entries(details)) {
      for (const change of changes) {
        const refusal = await detailOf(change);
        expect(refusal).toMatch(/^invalid_event: /);
        expect(refusal).toContain(detail);
      }
    }
    const ahead = { ...row, at: NOON + 300_001 };
    expect(await detailOf({ op: "upsert", row: ahead, order: 1 })).toMatch(/^event_in_future: /);
    const long = { ...row, customer: null, order_id: "x".repeat(60_000) };
    expect(await detailOf({ op: "upsert", row: long, order: 1 })).toMatch(/^event_too_large: /);
  });
});
