import fc from "fast-check";
import { z } from "zod";
import { count, last, max, sum } from "../../src/features/aggregation.ts";
import { entity, featureView } from "../../src/features/define.ts";
import { apiKey, tableSource } from "../../src/features/define-source.ts";
import type { LogEvent } from "../../src/features/event-log.ts";
import { decimal } from "../../src/features/fields.ts";
import { compileDefinitions, type Registry } from "../../src/features/registry.ts";
import { recordFromText } from "../../src/features/source-record.ts";
import { readChange } from "../../src/ingest/read-change.ts";
import { vault } from "./write-path.ts";

export const buyer = entity("buyer", { key: "buyer" });
export const shop = entity("shop", { key: "shop" });

/** A table of which every change says its order itself. */
export const orders = tableSource("orders", {
  schema: z.object({
    order_id: z.string(),
    buyer: z.string().nullable(),
    shop: z.string(),
    amount: decimal(),
    created_at: z.number(),
  }),
  key: "order_id",
  eventTime: "created_at",
  accept: [apiKey()],
});

export const byBuyer = featureView("by_buyer", {
  entity: buyer,
  source: orders,
  features: {
    n: count(),
    total: sum("amount").over("7d"),
    most: max("amount"),
    newest: last("shop").over("30d"),
  },
});
export const byShop = featureView("by_shop", {
  entity: shop,
  source: orders,
  features: { n: count().over("1d"), total: sum("amount") },
});

export const tables: Registry = compileDefinitions([buyer, shop, orders, byBuyer, byShop]);

/** When the random rows' clock stands. */
export const ROWS_NOW = Date.UTC(2026, 5, 15, 12);

export type Row = Readonly<Record<string, string | number | null>>;

/** What somebody sends: a row as it becomes, or null where it is deleted. */
export interface SentChange {
  readonly id: string;
  readonly order: number;
  readonly row: Row | null;
}

/** A row of `orders`, of which a test names only what matters to it. */
export const order = (id: string, fields: Row = {}): Row => ({
  order_id: id,
  buyer: "ada",
  shop: "s1",
  amount: "1.50",
  created_at: ROWS_NOW - 1_000,
  ...fields,
});

/** The events of one change as they reach the consumer. */
export async function changesOf(tenant: string, value: unknown): Promise<readonly LogEvent[]> {
  const source = tables.sources.get(orders.name);
  if (source === undefined || source.table === null) throw new Error("the test is wrong");
  const input = { tenant, source, value, ingestTime: ROWS_NOW, knownAt: null };
  const read = await readChange({ registry: tables, vault }, source.table, input);
  if (!read.ok) throw new Error(read.error.detail);
  return read.value;
}

/** A change as it reaches the consumer. */
export async function changeOf(tenant: string, change: SentChange): Promise<LogEvent> {
  const { id, row, order: at } = change;
  const value =
    row === null
      ? { op: "delete", row: { order_id: id }, order: at }
      : { op: "upsert", row, order: at };
  const [event] = await changesOf(tenant, value);
  if (event === undefined) throw new Error("a change without an event");
  return event;
}

const anyRow = (id: string): fc.Arbitrary<Row> =>
  fc
    .record({
      buyer: fc.constantFrom("ada", "bob", null),
      shop: fc.constantFrom("s1", "s2"),
      amount: fc.constantFrom("1.5", "2", "-3.25"),
      created_at: fc.integer({ min: 1, max: 3 }).map((n) => ROWS_NOW - n * 1_000),
    })
    .map((fields) => order(id, fields));

/** Changes of a few rows, at most one upsert and one delete of a row at each order. */
export const anyChanges: fc.Arbitrary<readonly SentChange[]> = fc.uniqueArray(
  fc.constantFrom("r1", "r2", "r3").chain((id) =>
    fc.record({
      id: fc.constant(id),
      order: fc.nat({ max: 12 }),
      row: fc.oneof(
        { weight: 1, arbitrary: fc.constant(null) },
        { weight: 3, arbitrary: anyRow(id) },
      ),
    }),
  ),
  {
    minLength: 1,
    maxLength: 16,
    selector: ({ id, order: at, row }) => `${id} ${at} ${row === null ? "gone" : "there"}`,
  },
);

/** The table as it is after all of the changes: of each row, the one with the highest order. */
export function tableAfter(changes: readonly SentChange[]): ReadonlyMap<string, Row> {
  const latest = new Map<string, SentChange>();
  for (const change of changes) {
    const known = latest.get(change.id);
    const isLater =
      known === undefined ||
      change.order > known.order ||
      (change.order === known.order && change.row === null);
    if (isLater) latest.set(change.id, change);
  }
  return new Map([...latest.values()].flatMap(({ id, row }) => (row === null ? [] : [[id, row]])));
}

/** What the log's events add up to: each row that is added and not taken back, by its key. */
export function netOf(events: readonly LogEvent[]): ReadonlyMap<string, Row> {
  const net = new Map<string, { readonly row: Row; readonly times: number }>();
  for (const { sign, body, orderKey } of events) {
    const id = `${orderKey} ${body}`;
    const times = (net.get(id)?.times ?? 0) + sign;
    net.set(id, { row: recordFromText(body) as Row, times });
  }
  const rows = [...net.values()].filter(({ times }) => times !== 0);
  if (rows.some(({ times }) => times !== 1)) throw new Error("a row is there more than once");
  return new Map(
    rows.map(({ row }) => [
      String(row["order_id"]),
      { ...row, buyer: row["buyer"] ?? null, created_at: Number(row["created_at"]) },
    ]),
  );
}
