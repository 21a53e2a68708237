import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { count } from "../../../src/features/aggregation.ts";
import { entity, featureView } from "../../../src/features/define.ts";
import { apiKey, contentHash, eventSource } from "../../../src/features/define-source.ts";
import type { LogEvent } from "../../../src/features/event-log.ts";
import { bigint, decimal, pii, vector } from "../../../src/features/fields.ts";
import { compileDefinitions } from "../../../src/features/registry.ts";
import { parseExactJson } from "../../../src/ingest/exact-json.ts";
import { readEvent } from "../../../src/ingest/read-event.ts";
import { MAX_AHEAD_MS } from "../../../src/ingest/read-record.ts";
import type { Rejection } from "../../../src/ingest/rejection.ts";
import { NOON } from "../../support/world.ts";
import { vault } from "../../support/write-path.ts";

const person = entity("person", { key: "email" });
const schema = z.object({
  id: z.string(),
  at: z.number(),
  email: pii(z.email(), "token").nullish(),
  secret: pii(z.string(), "drop").nullish(),
  amount: decimal().nullish(),
  level: z.number().nullish(),
  serial: bigint().nullish(),
  colour: z.enum(["red", "blue"]).nullish(),
  on: z.boolean().nullish(),
  seen: z.iso.datetime({ offset: true }).nullish(),
  spot: vector(2).nullish(),
});
const accept = [apiKey()];
const sales = eventSource("sales", { schema, id: "id", eventTime: "at", accept });
const strict = eventSource("strict", {
  schema: z.strictObject(schema.shape),
  id: "id",
  eventTime: "at",
  accept,
});
const hashed = eventSource("hashed", { schema, id: contentHash(), eventTime: "at", accept });
const dated = eventSource("dated", {
  schema: z.object({
    id: pii(z.string(), "token"),
    at: z.iso.datetime({ offset: true }),
  }),
  id: "id",
  eventTime: "at",
  accept,
});
const registry = compileDefinitions([
  person,
  sales,
  strict,
  hashed,
  dated,
  featureView("people", { entity: person, source: sales, features: { n: count() } }),
  featureView("by_id", {
    entity: person,
    source: hashed,
    key: { email: "id" as const },
    features: { n: count() },
  }),
]);

async function readText(text: string, source = "sales"): Promise<LogEvent | Rejection> {
  const plan = registry.sources.get(source);
  const value = parseExactJson(text);
  if (plan === undefined || !value.ok) throw new Error("the test is wrong");
  const input = { tenant: "t", source: plan, value: value.value, ingestTime: NOON, knownAt: null };
  const read = await readEvent({ registry, vault }, input);
  return read.ok ? read.value : read.error;
}

/** A record of JSON texts, so that numbers stay as they are written. */
const jsonOf = (fields: Readonly<Record<string, string>>): string =>
  `{${Object.entries({ id: '"e1"', at: String(NOON), ...fields })
    .map(([name, text]) => `${JSON.stringify(name)}:${text}`)
    .join()}}`;

async function bodyOf(fields: Readonly<Record<string, string>>): Promise<Record<string, unknown>> {
  const read = await readText(jsonOf(fields));
  if (!("body" in read)) throw new Error(read.detail);
  return JSON.parse(read.body) as Record<string, unknown>;
}

async function detailOf(fields: Readonly<Record<string, string>>, source?: string) {
  const read = await readText(jsonOf(fields), source);
  return "detail" in read ? `${read.code}: ${read.detail}` : "accepted";
}

describe("an accepted event", () => {
  it("is kept as the log keeps it", async () => {
    const read = await readText(jsonOf({ amount: "12.50", on: "false", colour: '"red"' }));
    expect(read).toEqual({
      tenant: "t",
      source: "sales",
      eventId: "e1",
      orderKey: "e1",
      sign: 1,
      eventTime: NOON,
      originalEventTime: null,
      ingestTime: NOON,
      knownAt: null,
      body: `{"amount":"12.5","at":"${NOON}","colour":"red","id":"e1","on":false}`,
      bodyHash: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
    });
  });

  it.each([
    ["level", "9007199254740993", "9007199254740993"],
    ["amount", "9007199254740993", "9007199254740993"],
    ["serial", "9007199254740993", "9007199254740993"],
    ["serial", '"-99999999999999999999999999999999999999"', `-${"9".repeat(38)}`],
    ["amount", "1E5", "100000"],
    ["amount", '"1E5"', "100000"],
    ["level", "1E5", "100000"],
    ["amount", "-0", "0"],
    ["level", "-0.0", "0"],
    ["serial", "-0", "0"],
    ["amount", "0.10", "0.1"],
    [
      "amount",
      "12345678901234567890.123456789012345678",
      "12345678901234567890.123456789012345678",
    ],
    ["level", "1e21", "1000000000000000000000"],
    ["level", "5e-324", `0.${"0".repeat(323)}5`],
  ])("has %s %s exactly as %s", async (name, sent, kept) => {
    expect((await bodyOf({ [name]: sent }))[name]).toBe(kept);
  });

  it.each([
    ["level", "1e400"],
    ["level", '"5"'],
    ["level", "true"],
    ["amount", "1e400"],
    ["amount", '"1,5"'],
    ["amount", '"NaN"'],
    ["amount", '" 1"'],
    ["amount", `1${"0".repeat(20)}.${"1".repeat(20)}`],
    ["serial", "1.5"],
    ["serial", "1E5"],
    ["serial", "1".repeat(39)],
    ["colour", '"green"'],
    ["colour", "5"],
    ["on", '"true"'],
    ["on", "0"],
    ["seen", '"2026-02-30T00:00:00Z"'],
    ["seen", '"2026-01-01T00:00:00"'],
    ["id", "5"],
    ["id", '"a\\u0000b"'],
    ["id", '"\\ud800"'],
    ["email", '"nobody"'],
    ["email", '{"rawJSON":"5"}'],
    ["at", "null"],
    ["at", "1.5"],
    ["at", "-9007199254740991"],
  ])("has no %s of %s", async (name, sent) => {
    const detail = await detailOf({ [name]: sent });
    expect(detail).toMatch(new RegExp(`^invalid_event: ${name}: `));
  });

  it("has every number of a vector exactly, in its place", async () => {
    const spot = "[9007199254740993, -0.10]";
    expect((await bodyOf({ spot }))["spot"]).toEqual(["9007199254740993", "-0.1"]);
    expect(await bodyOf({ spot: "null" })).not.toHaveProperty("spot");
    const [one, other] = [await readText(jsonOf({ spot: "[1e1,2]" })), "[10.0,2.00]"];
    expect(await readText(jsonOf({ spot: other }))).toEqual(one);
  });

  it.each(["[1]", "[1,2,3]", '[1,"2"]', "[1,null]", "[1,1e400]", "[[1],2]", "7", '"1,2"', "{}"])(
    "has no vector of two numbers in %s",
    async (spot) => {
      expect(await detailOf({ spot })).toMatch(/^invalid_event: spot/);
    },
  );

  it("leaves out what the source does not declare, and what is null", async () => {
    const body = await bodyOf({
      more: '{"a":[1]}',
      ["__proto__"]: "{}",
      constructor: "1",
      amount: "null",
    });
    expect(Object.keys(body)).toEqual(["at", "id"]);
  });

  it("has the same hash for the same record alone, however it was written", async () => {
    const hashOf = async (text: string) => {
      const read = await readText(text);
      return "bodyHash" in read ? read.bodyHash : read.detail;
    };
    const first = await hashOf(`{"id":"e1","at":${NOON},"amount":"1.50","level":null}`);
    expect(await hashOf(`{"amount":1.5,  "at":${NOON}.0,"id":"e1","x":1}`)).toBe(first);
    expect(await hashOf(`{"amount":1.51,"at":${NOON},"id":"e1"}`)).not.toBe(first);
  });

  it("is known by the hash of its record where the source says so", async () => {
    const [one, same, other] = await Promise.all([
      readText(jsonOf({ amount: "1" }), "hashed"),
      readText(jsonOf({ amount: "1.0" }), "hashed"),
      readText(jsonOf({ amount: "2" }), "hashed"),
    ]);
    if (!("body" in one && "body" in same && "body" in other)) throw new Error("not accepted");
    expect(one.eventId).toBe(one.bodyHash);
    expect(same.eventId).toBe(one.eventId);
    expect(other.eventId).not.toBe(one.eventId);
  });
});

describe("the time of an event", () => {
  const timesOf = async (at: number) => {
    const read = await readText(jsonOf({ at: String(at) }));
    return "body" in read ? [read.eventTime, read.originalEventTime] : read.code;
  };

  it("is ours where it is up to five minutes ahead of ours, and refused beyond", async () => {
    expect(await timesOf(NOON)).toEqual([NOON, null]);
    expect(await timesOf(NOON + 1)).toEqual([NOON, NOON + 1]);
    expect(await timesOf(NOON + MAX_AHEAD_MS)).toEqual([NOON, NOON + MAX_AHEAD_MS]);
    expect(await timesOf(NOON + MAX_AHEAD_MS + 1)).toBe("event_in_future");
    expect(await timesOf(NOON * 1_000)).toBe("invalid_event");
  });

  it("may be long ago, before 1970 too", async () => {
    expect(await timesOf(-1)).toEqual([-1, null]);
    expect(await timesOf(-62_167_219_200_000)).toEqual([-62_167_219_200_000, null]);
    expect(await timesOf(-62_167_219_200_001)).toBe("invalid_event");
  });

  it("is read from text with an offset, floored", async () => {
    const read = await readText('{"id":"a","at":"2026-06-15T13:59:59.0009+02:00"}', "dated");
    expect(read).toMatchObject({ eventTime: NOON - 1_000 });
  });
});

describe("personal data", () => {
  it("is a token or nothing in the event, and so in every id made of it", async () => {
    const read = await readText(
      jsonOf({ email: '"Ada@Example.com"', secret: '"my secret"', level: "1" }),
    );
    expect(JSON.stringify(read)).not.toMatch(/ada|secret/i);
    expect(read).toMatchObject({ body: expect.stringMatching(/"email":"t1_[\w-]{22}"/) as string });
    const named = await readText('{"id":"ada","at":"2026-06-15T11:00:00Z"}', "dated");
    expect(named).toMatchObject({ eventId: expect.stringMatching(/^t1_/) as string });
    expect(JSON.stringify(named)).not.toMatch(/ada/);
  });

  it("is never in the reason of a refusal", async () => {
    const secrets = fc.constantFrom("ada@example.com", "4111111111111111", "日本 太郎");
    const names = fc.constantFrom(...Object.keys(schema.shape));
    const shapes = fc.constantFrom(
      (text: string) => JSON.stringify(text),
      (text: string) => JSON.stringify({ [text]: text }),
      (text: string) => JSON.stringify([text]),
      (text: string) => JSON.stringify(`${text}\0`),
    );
    await fc.assert(
      fc.asyncProperty(names, secrets, shapes, async (name, secret, shape) => {
        expect(await detailOf({ [name]: shape(secret) })).not.toContain(secret);
        // A strict source refuses fields that it does not declare; their names are the sender's.
        const extra = await detailOf({ [secret]: shape(secret) }, "strict");
        expect(extra).toBe("invalid_event: expected no other fields than the source declares");
      }),
    );
  });
});

describe("a record that is refused", () => {
  it("is one that is no object", async () => {
    for (const text of ["5", "null", "[]", '"text"', "true"]) {
      expect(await readText(text)).toEqual({ code: "invalid_event", detail: "expected an object" });
    }
  });

  it("is one without what must be there", async () => {
    expect(await readText("{}")).toMatchObject({
      detail: expect.stringMatching(/^id: expected string.*; at: expected number/) as string,
    });
  });

  it("is one whose entity key no store can keep", async () => {
    expect(await detailOf({ id: JSON.stringify("漢".repeat(171)) }, "hashed")).toBe(
      "invalid_event: id: an entity key is over 512 bytes",
    );
    expect(await detailOf({ id: '""' }, "hashed")).toBe(
      "invalid_event: id: an entity key is empty",
    );
    expect(await detailOf({ id: JSON.stringify("漢".repeat(170)) }, "hashed")).toBe("accepted");
  });

  it("is one whose id is empty or over 256 characters", async () => {
    expect(await detailOf({ id: '""' })).toMatch(/an event id has 1 to 256 characters/);
    expect(await detailOf({ id: JSON.stringify("漢".repeat(256)) })).toBe("accepted");
    expect(await detailOf({ id: JSON.stringify("a".repeat(257)) })).toMatch(/1 to 256/);
  });

  it("is one that is too large", async () => {
    const at = '"at":"2026-06-15T11:00:00Z"';
    expect(await readText(`{"id":"${"x".repeat(70_000)}",${at}}`, "dated")).toMatchObject({
      eventId: expect.stringMatching(/^t1_/) as string,
    });
    expect(await detailOf({ id: JSON.stringify("x".repeat(60_000)) })).toMatch(
      /^event_too_large: over 60000 bytes/,
    );
  });
});
