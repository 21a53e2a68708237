import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ApiKeyClaims } from "../../../src/governance/api-key-claims.ts";
import { MAX_KEY_LENGTH, signApiKey, verifyApiKey } from "../../../src/governance/api-key.ts";
import { NodeBuffer } from "../../support/node-buffer.ts";

const SECRET = "the-first-secret-of-thirty-two-bytes";
const OTHER = "another-secret-of-at-least-32-bytes!";
const NOW = 1_795_324_745_202;

const READER: ApiKeyClaims = { v: 1, tenant: "acme", kid: "key_01reader", roles: ["reader"] };
const PUBLIC: ApiKeyClaims = {
  v: 1,
  tenant: "acme",
  kid: "key_01public",
  roles: ["frontend"],
  origins: ["https://shop.example"],
};

const base64url = (text: string | Buffer): string => NodeBuffer.from(text).toString("base64url");

/** A key whose signature is right, whatever it says. */
function forge(payload: string | Buffer, prefix = "fr_live_", secret = SECRET): string {
  const signed = prefix + base64url(payload);
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

const verify = (token: string, now = NOW) => verifyApiKey([SECRET], token, now);

describe("an API key", () => {
  it("says what was signed, and which kind it is", async () => {
    const secret = await signApiKey(SECRET, READER);
    const publishable = await signApiKey(SECRET, PUBLIC);
    expect(secret).toMatch(/^fr_live_[\w-]+\.[\w-]{43}$/);
    expect(publishable).toMatch(/^fr_pub_[\w-]+\.[\w-]{43}$/);
    expect(await verify(secret)).toEqual({ ok: true, value: READER });
    expect(await verify(publishable)).toEqual({ ok: true, value: PUBLIC });
  });

  it("is HMAC-SHA256 over all that stands before the dot", async () => {
    expect(await signApiKey(SECRET, READER)).toBe(forge(JSON.stringify(READER)));
  });

  it("survives a round trip with any claims that a key may have", async () => {
    const name = /^[a-z][a-z0-9_-]{0,20}$/;
    const claims = fc.record(
      {
        v: fc.constant(1 as const),
        tenant: fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,62}$/),
        kid: fc.stringMatching(/^key_[0-9a-z]{1,40}$/),
        roles: fc.array(fc.stringMatching(name), { minLength: 1, maxLength: 16 }),
        exp: fc.integer({ min: Math.ceil(NOW / 1000) + 1, max: 2 ** 52 }),
        name: fc
          .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
          .filter((text) => text.length <= 80 && !/[\p{Cc}\p{Cs}]/u.test(text)),
        origins: fc.constant(["https://shop.example", "http://localhost:5173"]),
      },
      { requiredKeys: ["v", "tenant", "kid", "roles"] },
    );
    await fc.assert(
      fc.asyncProperty(claims, async (given) => {
        const verified = await verify(await signApiKey(SECRET, given));
        expect(verified).toEqual({ ok: true, value: given });
      }),
    );
  });

  it("is refused when any one character of it is another", async () => {
    const key = await signApiKey(SECRET, READER);
    await verify(key);
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: key.length - 1 }),
        fc.constantFrom(..."ABab01-_.=+/ \u0000é".split("")),
        async (at, character) => {
          const changed = key.slice(0, at) + character + key.slice(at + 1);
          expect((await verify(changed)).ok).toBe(changed === key);
        },
      ),
    );
  });

  it("is taken from every listed secret and from no other", async () => {
    const old = await signApiKey(OTHER, READER);
    expect(await verifyApiKey([SECRET, OTHER], old, NOW)).toMatchObject({ ok: true });
    expect(await verifyApiKey([SECRET], old, NOW)).toEqual({ ok: false, error: "bad_signature" });
    expect(await verifyApiKey([], old, NOW)).toEqual({ ok: false, error: "bad_signature" });
  });

  it("is refused from the second on in which it expires, remembered or not", async () => {
    const exp = Math.floor(NOW / 1000) + 1;
    const key = await signApiKey(SECRET, { ...READER, kid: "key_01expires", exp });
    expect(await verify(key, exp * 1000)).toEqual({ ok: false, error: "expired" });
    expect(await verify(key, exp * 1000 - 1)).toMatchObject({ ok: true });
    expect(await verify(key, exp * 1000)).toEqual({ ok: false, error: "expired" });
  });

  it("gives claims that nobody can change for the next request", async () => {
    const verified = await verify(await signApiKey(SECRET, PUBLIC));
    if (!verified.ok) throw new Error(verified.error);
    const claims = verified.value as unknown as Record<"tenant", string> &
      Record<"roles" | "origins", string[]>;
    expect(() => (claims.tenant = "globex")).toThrow(TypeError);
    expect(() => claims.roles.push("admin")).toThrow(TypeError);
    expect(() => claims.origins.push("https://evil.example")).toThrow(TypeError);
  });

  it("cannot be relabelled as the other kind", async () => {
    const key = await signApiKey(SECRET, PUBLIC);
    expect(await verify(key.replace("fr_pub_", "fr_live_"))).toMatchObject({ ok: false });
    expect(await verify(forge(JSON.stringify(PUBLIC)))).toMatchObject({ error: "unsupported" });
    expect(await verify(forge(JSON.stringify(READER), "fr_pub_"))).toMatchObject({
      error: "unsupported",
    });
  });
});

describe("a hostile key", () => {
  const payload = base64url(JSON.stringify(READER));
  const jwt = (alg: string): string =>
    `${base64url(JSON.stringify({ alg, typ: "JWT" }))}.${payload}.${"A".repeat(43)}`;

  it.each([
    ["", "malformed"],
    ["fr_live_", "malformed"],
    [`fr_test_${payload}.${"A".repeat(43)}`, "malformed"],
    [`FR_LIVE_${payload}.${"A".repeat(43)}`, "malformed"],
    [`fr_live_${payload}`, "malformed"],
    [`fr_live_${payload}.`, "malformed"],
    [`fr_live_${payload}.${"A".repeat(42)}`, "malformed"],
    [`fr_live_${payload}.${"A".repeat(44)}`, "malformed"],
    [`fr_live_${payload}.${"A".repeat(42)}B`, "malformed"],
    [`fr_live_${payload}=.${"A".repeat(43)}`, "malformed"],
    [`fr_live_${payload}.${"A".repeat(43)}.${"A".repeat(43)}`, "malformed"],
    [`fr_live_${payload}.${"A".repeat(43)}\n`, "malformed"],
    [`fr_live_${payload}.${"A".repeat(43)}`, "bad_signature"],
    [`fr_live_ÿ${payload}.${"A".repeat(43)}`, "malformed"],
    [jwt("none"), "malformed"],
    [`fr_live_${jwt("none")}`, "malformed"],
    [`fr_live_${jwt("HS256")}`, "malformed"],
  ])("such as %j is %s", async (token, error) => {
    expect(await verify(token)).toEqual({ ok: false, error });
  });

  it("of any size is refused before anything is computed", async () => {
    const huge = `fr_live_${"A".repeat(50_000_000)}.${"A".repeat(43)}`;
    expect(await verify(huge)).toEqual({ ok: false, error: "malformed" });
    expect(await verify(forge("A".repeat(MAX_KEY_LENGTH)))).toMatchObject({ error: "malformed" });
  });

  it("is refused without a throw, whatever it is", async () => {
    const parts = fc.constantFrom("fr_live_", "fr_pub_", ".", payload, "__proto__", "A".repeat(43));
    const text = fc.array(fc.oneof(parts, fc.string({ unit: "binary", maxLength: 20 })), {
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(text, async (pieces) => {
        expect(await verify(pieces.join(""))).toMatchObject({ ok: false });
      }),
    );
  });

  const said = (claims: object): string => JSON.stringify({ ...READER, ...claims });
  it.each([
    ["no JSON", "{"],
    ["no object", "[]"],
    ["null", "null"],
    ["text", '"reader"'],
    ["a byte order mark", `\uFEFF${said({})}`],
    ["bytes that are no UTF-8", NodeBuffer.from([0x7b, 0xff, 0x7d])],
    ["another version", said({ v: 2 })],
    ["a claim of a later version", said({ entity: "c1" })],
    ["an algorithm", said({ alg: "none" })],
    ["__proto__", said({}).replace("{", '{"__proto__":{"roles":["admin"]},')],
    ["constructor", said({}).replace("{", '{"constructor":{},')],
    ["roles that only a prototype has", '{"v":1,"tenant":"acme","kid":"key_1","__proto__":{}}'],
    ["no tenant", said({ tenant: undefined })],
    ["an empty tenant", said({ tenant: "" })],
    ["a tenant with a separator", said({ tenant: "acme:globex" })],
    ["a tenant in capitals", said({ tenant: "Acme" })],
    ["a tenant with a line end", said({ tenant: "acme\n" })],
    ["a tenant of 64 characters", said({ tenant: "a".repeat(64) })],
    ["a tenant in other letters", said({ tenant: "аcme" })],
    ["no id", said({ kid: undefined })],
    ["an id of another kind", said({ kid: "evt_01" })],
    ["no roles", said({ roles: [] })],
    ["a role for a list", said({ roles: "admin" })],
    ["a role that is no name", said({ roles: ["*"] })],
    ["too many roles", said({ roles: Array.from({ length: 17 }, () => "reader") })],
    ["an expiry in text", said({ exp: "2000000000" })],
    ["an expiry of null", said({ exp: null })],
    ["a broken second", said({ exp: 2_000_000_000.5 })],
    ["no origins in the list", said({ origins: [] })],
    ["any origin", said({ origins: ["*"] })],
    ["the opaque origin", said({ origins: ["null"] })],
    ["a control character in its name", said({ name: "a\u001b[2J" })],
  ])("that is signed and holds %s is unsupported", async (_, claims) => {
    for (const prefix of ["fr_live_", "fr_pub_"]) {
      expect(await verify(forge(claims, prefix))).toEqual({ ok: false, error: "unsupported" });
    }
  });
});

describe("signing", () => {
  it("refuses a secret that can be guessed, and so does verifying", async () => {
    const short = "x".repeat(31);
    await expect(signApiKey(short, READER)).rejects.toThrow(RangeError);
    const key = forge(JSON.stringify(READER), "fr_live_", short);
    await expect(verifyApiKey([short], key, NOW)).rejects.toThrow(RangeError);
  });

  it.each([
    [{ ...READER, tenant: "Acme" }, "tenant"],
    [{ ...READER, roles: [] }, "roles"],
    [{ ...PUBLIC, origins: ["https://shop.example/path"] }, "origins.0"],
  ])("refuses claims that would not verify: %j", async (claims, path) => {
    await expect(signApiKey(SECRET, claims)).rejects.toThrow(path);
  });

  it("refuses claims that make a key too long to be taken", async () => {
    const origins = Array.from({ length: 16 }, (_, i) => `https://${"a".repeat(230)}${i}.example`);
    await expect(signApiKey(SECRET, { ...PUBLIC, origins })).rejects.toThrow(TypeError);
  });
});
