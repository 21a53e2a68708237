import { describe, expect, it } from "vitest";
import { z } from "zod";
import { count, countDistinct, first, last, sum } from "../../../src/features/aggregation.ts";
import { entity, featureView } from "../../../src/features/define.ts";
import { apiKey, contentHash, eventSource, joined } from "../../../src/features/define-source.ts";
import { pii } from "../../../src/features/fields.ts";
import { compileDefinitions } from "../../../src/features/registry.ts";
import { readEvent } from "../../../src/ingest/read-event.ts";
import { changesOf, order } from "../../support/table-rows.ts";
import { NOON } from "../../support/world.ts";
import { vault } from "../../support/write-path.ts";

const accept = [apiKey()];
const user = entity("user", { key: "user" });
const visits = eventSource("visits", {
  schema: z.object({
    id: z.string(),
    user: z.string(),
    at: z.number(),
    page: z.string().nullish(),
    city: z.string().nullish(),
    agent: z.string().max(400).nullish(),
    note: z.string().nullish(),
    email: pii(z.string(), "token").nullish(),
    seen: z.iso.datetime({ offset: true }).nullish(),
    shop: z.string().nullish(),
  }),
  id: "id",
  eventTime: "at",
  accept,
});
const sales = eventSource("sales", {
  schema: z.object({ id: z.string(), shop: z.string(), at: z.number(), item: z.string() }),
  id: "id",
  eventTime: "at",
  accept,
});
const hashed = eventSource("hashed", {
  schema: z.object({ user: z.string(), at: z.number(), page: z.string() }),
  id: contentHash(),
  eventTime: "at",
  accept,
});
const shop = entity("shop", { key: "shop" });
const paths = joined("paths", visits, sales, { on: "shop", within: "1h" });
const registry = compileDefinitions([
  user,
  shop,
  visits,
  sales,
  hashed,
  paths,
  featureView("pages", {
    entity: user,
    source: visits,
    features: {
      n: count().where({ note: "long" }),
      page: last("page"),
      cities: countDistinct("city", { max: 9 }).where({ page: "home" }),
      agent: first("agent"),
      email: last("email"),
      seen: last("seen"),
    },
  }),
  featureView("hashes", { entity: user, source: hashed, features: { page: last("page") } }),
  featureView("sold", {
    entity: shop,
    source: paths,
    features: {
      item: last("sales__item"),
      note: last("visits__note").where({ sales__item: "x" }),
    },
  }),
  featureView("sums", { entity: user, source: visits, features: { at: sum("at") } }),
]);

const long = (bytes: number, letter = "a"): string =>
  letter.repeat(bytes / new TextEncoder().encode(letter).length);

/** Why a record is refused, or nothing. */
async function problem(source: string, fields: object): Promise<string | undefined> {
  const plan = registry.sources.get(source);
  if (plan === undefined) throw new Error("the test is wrong");
  const value = { id: "e1", user: "u", shop: "s", item: "x", at: NOON, ...fields };
  const input = { tenant: "t", source: plan, value, ingestTime: NOON, knownAt: null };
  const read = await readEvent({ registry, vault }, input);
  return read.ok ? undefined : read.error.detail;
}

describe("a text that a view would keep", () => {
  it("is refused beyond 256 bytes, with what sets another bound", async () => {
    expect(await problem("visits", { page: long(256) })).toBeUndefined();
    expect(await problem("visits", { page: long(257) })).toBe(
      'page: longer than the 256 bytes that view "pages" can keep of it; a max(n) in the ' +
        "source's schema sets another bound",
    );
    expect(await problem("hashed", { page: long(257) })).toMatch(/^page: longer/);
  });

  it("is counted in bytes, and may be as long as its schema says", async () => {
    expect(await problem("visits", { page: long(255, "猫") })).toBeUndefined();
    expect(await problem("visits", { page: long(258, "猫") })).toMatch(/^page: .*256 bytes/);
    expect(await problem("visits", { agent: long(1_200, "猫") })).toBeUndefined();
    expect(await problem("visits", { seen: `2026-01-01T00:00:00.${"0".repeat(20)}Z` })).toBe(
      undefined,
    );
    expect(await problem("visits", { seen: `2026-01-01T00:00:00.${"0".repeat(21)}Z` })).toMatch(
      /^seen: longer than the 41 bytes/,
    );
  });

  it("may be of any length where it is kept as a token, or nobody keeps it of this event", async () => {
    expect(await problem("visits", { email: long(3_000) })).toBeUndefined();
    expect(await problem("visits", { city: long(3_000) })).toBeUndefined();
    expect(await problem("visits", { city: long(257), page: "home" })).toMatch(/^city: longer/);
  });

  it("is an event's id as well, where a feature keeps the order of events", async () => {
    expect(await problem("visits", { id: long(128) })).toBeUndefined();
    expect(await problem("visits", { id: long(129), page: "p" })).toMatch(
      /^id: longer than the 128 bytes that view "pages"/,
    );
  });

  it("is refused of a side of pairs, whatever the other side is", async () => {
    expect(await problem("sales", { item: long(257) })).toMatch(/^item: .* view "sold"/);
    expect(await problem("sales", { id: long(129) })).toMatch(/^id: .* 128 bytes .* "sold"/);
    expect(await problem("visits", { note: long(257) })).toMatch(/^note: .* view "sold"/);
  });

  it("is refused of a row's image, and never of what only takes one back", async () => {
    const bad = order("o1", { shop: long(257) });
    await expect(changesOf("t", { op: "upsert", row: bad, order: 1 })).rejects.toThrow(
      /^shop: longer than the 256 bytes that view "by_buyer"/,
    );
    const longKey = order(long(129));
    await expect(changesOf("t", { op: "upsert", row: longKey, order: 1 })).rejects.toThrow(
      /^order_id: longer than the 128 bytes/,
    );
    expect(await changesOf("t", { op: "delete", row: longKey, order: 2 })).toHaveLength(1);
    const moved = { op: "update", row: order("o2"), before: { ...bad, ...longKey }, order: 3 };
    expect(await changesOf("t", moved)).toHaveLength(2);
  });
});
