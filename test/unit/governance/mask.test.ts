import { createHmac } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { maskRecord, tokenise, type MaskedField } from "../../../src/governance/mask.ts";
import { tenantKey } from "../../../src/governance/tenant-keys.ts";
import { NodeBuffer } from "../../support/node-buffer.ts";

const SECRET = "an-encryption-secret-of-32-bytes-or-more";
const acme = await tenantKey(SECRET, "pii-token", "acme");
const globex = await tenantKey(SECRET, "pii-token", "globex");

const EMAIL: MaskedField = { name: "email", pii: "token", email: true };
const PHONE: MaskedField = { name: "phone", pii: "token", email: false };
const NOTE: MaskedField = { name: "note", pii: "drop", email: false };
const AMOUNT: MaskedField = { name: "amount", pii: null, email: false };
const FIELDS = [EMAIL, PHONE, NOTE, AMOUNT];

const TOKEN = /^t1_[A-Za-z0-9_-]{22}$/;
const text = fc.string({ unit: "grapheme" });

describe("a token", () => {
  it("is 128 bits of HMAC-SHA256 over field, NUL and value", async () => {
    const raw = NodeBuffer.from("0123456789abcdef0123456789abcdef");
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("raw", raw, algorithm, false, ["sign"]);
    const mac = createHmac("sha256", raw).update("email\0ann@example.com").digest();
    const expected = `t1_${mac.subarray(0, 16).toString("base64url")}`;
    expect(await tokenise(key, EMAIL, " Ann@Example.COM\t")).toBe(expected);
  });

  it("is the same for the same value, and for no other value, field or tenant", async () => {
    await fc.assert(
      fc.asyncProperty(text, text, async (one, other) => {
        const token = await tokenise(acme, PHONE, one);
        expect(token).toMatch(TOKEN);
        expect(await tokenise(acme, PHONE, one)).toBe(token);
        const alike = one.normalize("NFC") === other.normalize("NFC");
        expect((await tokenise(acme, PHONE, other)) === token).toBe(alike);
        expect(await tokenise(acme, { ...PHONE, name: "mobile" }, one)).not.toBe(token);
        expect(await tokenise(globex, PHONE, one)).not.toBe(token);
      }),
    );
  });

  it.each([
    ["Ann@Example.com", "ann@example.com"],
    ["  ann@example.com\r\n", "ann@example.com"],
    ["jose\u0301@example.com", "JOS\u00c9@example.com"],
    ["ΌΣΟΣ@example.com", "όσος@example.com"],
  ])("joins the ways to write one e-mail address: %j, %j", async (one, other) => {
    expect(await tokenise(acme, EMAIL, one)).toBe(await tokenise(acme, EMAIL, other));
  });

  it("does not fold what only looks alike", async () => {
    const tokens = await Promise.all(
      ["i@example.com", "ı@example.com", "і@example.com", "i@example.com\u200b"].map((value) =>
        tokenise(acme, EMAIL, value),
      ),
    );
    expect(new Set(tokens).size).toBe(4);
    expect(await tokenise(acme, PHONE, "A")).not.toBe(await tokenise(acme, PHONE, "a"));
    expect(await tokenise(acme, PHONE, "1 ")).not.toBe(await tokenise(acme, PHONE, "1"));
  });

  it("of an e-mail address is that of its canonical form", async () => {
    await fc.assert(
      fc.asyncProperty(text, async (value) => {
        const canonical = value.normalize("NFC").trim().toLowerCase();
        expect(await tokenise(acme, EMAIL, value)).toBe(await tokenise(acme, EMAIL, canonical));
      }),
    );
  });
});

describe("a masked record", () => {
  it("holds tokens for tagged fields, nothing of dropped ones, and the rest as it was", async () => {
    const record = {
      email: "ann@example.com",
      phone: null,
      note: "calls at night",
      amount: "1.50",
    };
    const copy = structuredClone(record);
    expect(await maskRecord(record, FIELDS, acme)).toEqual({
      email: await tokenise(acme, EMAIL, "ann@example.com"),
      phone: null,
      amount: "1.50",
    });
    expect(record).toEqual(copy);
  });

  it("never holds a tagged value in clear, whatever the value is", async () => {
    const values = fc.record({ email: text, phone: text, note: text }, { requiredKeys: [] });
    await fc.assert(
      fc.asyncProperty(values, async (record) => {
        const marked = Object.fromEntries(
          Object.entries(record).map(([name, value]) => [name, `\u2603${value}\u2603`]),
        );
        const masked = await maskRecord({ ...marked, amount: "1" }, FIELDS, acme);
        expect(JSON.stringify(masked)).not.toContain("\u2603");
        const { amount, ...rest } = masked;
        expect(amount).toBe("1");
        for (const value of Object.values(rest)) expect(value).toMatch(TOKEN);
      }),
    );
  });

  it.each([1, true, ["ann@example.com"], { address: "ann@example.com" }])(
    "refuses %j for a tagged field, without repeating it",
    async (email) => {
      const refused = maskRecord({ email }, FIELDS, acme);
      await expect(refused).rejects.toThrow(TypeError);
      await expect(refused).rejects.toThrow(/^field "email" must be text to be masked$/);
    },
  );

  it("keeps a hostile key an ordinary one", async () => {
    const record = JSON.parse('{"__proto__":{"admin":true},"constructor":"x"}') as object;
    const masked = await maskRecord({ ...record }, FIELDS, acme);
    expect(Object.getPrototypeOf(masked)).toBe(Object.prototype);
    expect(Object.keys(masked).toSorted()).toEqual(["__proto__", "constructor"]);
    expect((masked as { admin?: boolean }).admin).toBeUndefined();
  });
});
