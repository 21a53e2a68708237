import { createHmac, generateKeyPairSync, sign as signEd25519 } from "node:crypto";
import fc from "fast-check";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { verifyStandardWebhook } from "../../../../src/ingest/signatures/standard-webhooks.ts";
import { NodeBuffer } from "../../../support/node-buffer.ts";

const NOW = 1_795_324_745_202;
const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const OTHER = `whsec_${NodeBuffer.alloc(32, 5).toString("base64")}`;
const ACME = [{ tenant: "acme", secret: SECRET }];

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const seconds = (ms: number): string => String(Math.floor(ms / 1000));

interface Message {
  readonly id?: string;
  readonly timestamp?: string;
  readonly body?: Uint8Array;
  readonly signature?: string;
}

function hmac(message: Message, secret = SECRET): string {
  const { id = "msg_1", timestamp = seconds(NOW), body = utf8("{}") } = message;
  const key = NodeBuffer.from(secret.replace("whsec_", ""), "base64");
  const mac = createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body);
  return `v1,${mac.digest("base64")}`;
}

function verify(message: Message, secrets = ACME, now = NOW) {
  const { id = "msg_1", timestamp = seconds(NOW), body = utf8("{}") } = message;
  const headers = new Map([
    ["webhook-id", id],
    ["webhook-timestamp", timestamp],
    ["webhook-signature", message.signature ?? hmac(message)],
  ]);
  const get = (name: string): string | null => headers.get(name) ?? null;
  return verifyStandardWebhook({ headers: { get }, body, now, secrets });
}

const accepted = { ok: true, value: { tenant: "acme", id: "msg_1" } };
const refused = (error: string) => ({ ok: false, error });

describe("Standard Webhooks", () => {
  it.each([
    {
      id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
      timestamp: "1614265330",
      body: '{"test": 2432232314}',
      signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    },
    {
      id: "msg_22bd292a-71ab-46fe-a460-8632d6754ac6",
      timestamp: "1234",
      body: '{"hello":"world"}',
      signature: "v1,qCVBRIv6rKQVhSJBAmUSE9GkdCdPe2j6xzzkm89UcoA=",
    },
  ])("verifies the published message $id", async ({ body, ...message }) => {
    const now = Number(message.timestamp) * 1000;
    const verified = await verify({ ...message, body: utf8(body) }, ACME, now);
    expect(verified).toEqual({ ok: true, value: { tenant: "acme", id: message.id } });
  });

  it("reads real headers", async () => {
    const headers = new Headers({
      "Webhook-Id": "msg_1",
      "Webhook-Timestamp": seconds(NOW),
      "Webhook-Signature": hmac({}),
    });
    const request = { headers, body: utf8("{}"), now: NOW, secrets: ACME };
    expect(await verifyStandardWebhook(request)).toEqual(accepted);
  });

  it("verifies any bytes, as they came", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array(), async (body) => {
        expect(await verify({ body })).toEqual(accepted);
        const longer = new Uint8Array([...body, 0]);
        expect(await verify({ body: longer, signature: hmac({ body }) })).toEqual(
          refused("no_match"),
        );
      }),
    );
  });

  it.each([
    ["id", { id: "msg_2" }],
    ["timestamp", { timestamp: seconds(NOW + 1000) }],
    ["body", { body: utf8("[]") }],
  ])("refuses another %s than was signed", async (_, changed) => {
    expect(await verify({ ...changed, signature: hmac({}) })).toEqual(refused("no_match"));
  });

  it.each([
    [-301, false],
    [-300, true],
    [0, true],
    [300, true],
    [301, false],
  ])("takes a clock that is %d s off: %s", async (skew, taken) => {
    const timestamp = seconds(NOW + skew * 1000);
    expect(await verify({ timestamp })).toEqual(
      taken ? accepted : refused("timestamp_out_of_tolerance"),
    );
  });

  const stamp = seconds(NOW);
  it.each([
    `${stamp}abc`,
    ` ${stamp}`,
    `+${stamp}`,
    `${stamp}.9`,
    `-${stamp}`,
    "0x1",
    "NaN",
    `0${stamp}`,
    "١٢٣",
  ])("refuses the timestamp %j", async (timestamp) => {
    expect(await verify({ timestamp })).toEqual(refused("malformed_headers"));
  });

  it.each(["1".repeat(13), "1e9", `${stamp}, ${stamp}`, `${stamp}\n`])(
    "refuses the timestamp %j, too",
    async (timestamp) => {
      expect(await verify({ timestamp })).toEqual(refused("malformed_headers"));
    },
  );

  it.each(["msg.1", "msg 1", "msg_1, msg_1", "msg\u0000", "mśg", "m".repeat(257)])(
    "refuses the id %j",
    async (id) => expect(await verify({ id })).toEqual(refused("malformed_headers")),
  );

  it.each(["id", "timestamp", "signature"] as const)("needs the %s", async (name) => {
    expect(await verify({ [name]: "" })).toEqual(refused("missing_headers"));
  });

  it("takes any right signature among others", async () => {
    const wrong = hmac({}, OTHER);
    expect(await verify({ signature: `${wrong} v2,abc v1a,abc ${hmac({})}` })).toEqual(accepted);
  });

  const mac = hmac({}).slice(3);
  it.each([
    hmac({}, OTHER),
    `v2,${mac}`,
    `v1a,${mac}`,
    `V1,${mac}`,
    `v1,${mac.replace("=", "")}`,
    `v1,${mac} `.trim().slice(0, -2),
    `v1,${mac}=`,
    `v1, ${mac}`,
    `v1,${mac},`,
    `v1:${mac}`,
    `v1,${NodeBuffer.from(mac, "base64").toString("hex")}`,
    `v1,${NodeBuffer.from(mac, "base64").toString("base64url")}`,
    `__proto__,${mac}`,
    mac,
    "v1,",
    "v1",
    ",",
    "v1,undefined",
    "é",
  ])("refuses the signature %j", async (signature) => {
    expect(await verify({ signature })).toEqual(refused("no_match"));
  });

  it.each([
    ["many signatures", Array.from({ length: 17 }, () => hmac({})).join(" ")],
    ["a long header", `${hmac({})} v9,${"A".repeat(5000)}`],
  ])("refuses %s before it computes anything", async (_, signature) => {
    expect(await verify({ signature })).toEqual(refused("malformed_headers"));
  });
});

describe("the tenant of a message", () => {
  const both = [...ACME, { tenant: "globex", secret: OTHER }];

  it("is the one whose secret signed it", async () => {
    expect(await verify({}, both)).toMatchObject({ value: { tenant: "acme" } });
    const theirs = await verify({ signature: hmac({}, OTHER) }, both);
    expect(theirs).toMatchObject({ value: { tenant: "globex" } });
  });

  it("is the same under its old and its new secret", async () => {
    const rotated = [{ tenant: "acme", secret: OTHER }, ...ACME];
    expect(await verify({}, rotated)).toEqual(accepted);
    expect(await verify({ signature: hmac({}, OTHER) }, rotated)).toEqual(accepted);
    const signature = `${hmac({}, OTHER)} ${hmac({})}`;
    expect(await verify({ signature }, rotated)).toEqual(accepted);
  });

  it("is nobody's when it fits two", async () => {
    const shared = [...ACME, { tenant: "globex", secret: SECRET }];
    expect(await verify({}, shared)).toEqual(refused("no_match"));
  });

  it.each([[[]], [["", "whsec_", "whsec_AAAA", SECRET.slice(6), `WHSEC_${SECRET.slice(6)}`]]])(
    "is nobody's for the secrets %j",
    async (texts) => {
      const secrets = texts.map((secret) => ({ tenant: "acme", secret }));
      expect(await verify({ signature: hmac({}, "whsec_") }, secrets)).toEqual(refused("no_match"));
      expect(await verify({}, secrets)).toEqual(refused("no_match"));
    },
  );
});

describe("a message signed by ed25519", () => {
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const raw = publicKey.export({ type: "spki", format: "der" }).subarray(-32);
  const whpk = `whpk_${raw.toString("base64")}`;
  const secrets = [{ tenant: "acme", secret: whpk }];
  const signed = NodeBuffer.from(`msg_1.${seconds(NOW)}.{}`);
  const signature = `v1a,${signEd25519(null, signed, privateKey).toString("base64")}`;

  it("verifies with the sender's public key, beside shared secrets", async () => {
    expect(await verify({ signature }, secrets)).toEqual(accepted);
    expect(await verify({ signature }, [{ tenant: "globex", secret: OTHER }, ...secrets])).toEqual(
      accepted,
    );
  });

  it("is refused when anything of it is another", async () => {
    expect(await verify({ signature, body: utf8("[]") }, secrets)).toEqual(refused("no_match"));
    const flipped = `v1a,${signature[4] === "A" ? "B" : "A"}${signature.slice(5)}`;
    expect(await verify({ signature: flipped }, secrets)).toEqual(refused("no_match"));
    expect(await verify({ signature: signature.replace("v1a", "v1") }, secrets)).toEqual(
      refused("no_match"),
    );
  });

  it("is not forged by using the public key as a shared secret", async () => {
    const forged = hmac({}, `whsec_${raw.toString("base64")}`);
    for (const version of ["v1", "v1a"]) {
      expect(await verify({ signature: forged.replace("v1", version) }, secrets)).toEqual(
        refused("no_match"),
      );
    }
  });
});

describe("beside the reference library", () => {
  beforeEach(() => void vi.useFakeTimers({ now: NOW, toFake: ["Date"] }));
  afterEach(() => void vi.useRealTimers());

  const library = new Webhook(SECRET);
  const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/);
  const body = fc.string({ unit: "grapheme" });

  it("takes what the library signs", async () => {
    const skew = fc.integer({ min: -300, max: 300 });
    await fc.assert(
      fc.asyncProperty(id, skew, body, async (msgId, offset, text) => {
        const at = new Date(NOW + offset * 1000);
        const signature = library.sign(msgId, at, text);
        const message = {
          id: msgId,
          timestamp: seconds(at.getTime()),
          body: utf8(text),
          signature,
        };
        expect(await verify(message)).toEqual({ ok: true, value: { tenant: "acme", id: msgId } });
      }),
    );
  });

  it("takes what the library takes, but for odd timestamps, ids and signatures", async () => {
    const now = seconds(NOW);
    const right = Symbol("right");
    const piece = fc.constantFrom("", "v1,", "v1a,", " ", mac, "=", "A", "v1", ",", hmac({}));
    const message = fc.record({
      id: fc.constantFrom("msg_1", "msg.1", "", "msg_2"),
      timestamp: fc.constantFrom(now, `0${now}`, `${now}abc`, "1", `${Number(now) + 301}`, ""),
      signature: fc.oneof(
        fc.constant(right),
        fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join("")),
      ),
    });
    await fc.assert(
      fc.asyncProperty(message, async ({ id: msgId, timestamp, signature: given }) => {
        const signature = typeof given === "string" ? given : hmac({ id: msgId, timestamp });
        const headers = { id: msgId, timestamp, signature };
        const taken = (await verify(headers)).ok;
        const byLibrary = libraryTakes(headers);
        const odd = timestamp !== now || msgId === "msg.1" || /,[^ ]*,/.test(signature);
        expect(taken).toBe(byLibrary && (taken || !odd));
      }),
      { numRuns: 500 },
    );
  });

  const mac = hmac({}).slice(3);

  function libraryTakes(headers: { id: string; timestamp: string; signature: string }): boolean {
    try {
      library.verify("{}", {
        "webhook-id": headers.id,
        "webhook-timestamp": headers.timestamp,
        "webhook-signature": headers.signature,
      });
      return true;
    } catch {
      return false;
    }
  }
});
