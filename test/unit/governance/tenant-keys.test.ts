import { hkdfSync, createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { tenantKey } from "../../../src/governance/tenant-keys.ts";
import { NodeBuffer } from "../../support/node-buffer.ts";

const SECRET = "an-encryption-secret-of-32-bytes-or-more";

const sign = async (key: CryptoKey): Promise<string> =>
  NodeBuffer.from(await crypto.subtle.sign("HMAC", key, NodeBuffer.from("text"))).toString("hex");

describe("a tenant's key", () => {
  it("is HKDF-SHA256 of the secret, with purpose, tenant and version as info", async () => {
    const info = "freshet|pii-token|acme|1";
    const raw = NodeBuffer.from(hkdfSync("sha256", SECRET, "", info, 32));
    const expected = createHmac("sha256", raw).update("text").digest("hex");
    expect(await sign(await tenantKey(SECRET, "pii-token", "acme"))).toBe(expected);
  });

  it("differs by secret, tenant and version", async () => {
    const macs = [
      await sign(await tenantKey(SECRET, "pii-token", "acme")),
      await sign(await tenantKey(SECRET, "pii-token", "acme", 2)),
      await sign(await tenantKey(SECRET, "pii-token", "globex")),
      await sign(await tenantKey(`${SECRET}!`, "pii-token", "acme")),
    ];
    expect(new Set(macs).size).toBe(macs.length);
  });

  it("is derived once, cannot be exported, and is for its purpose alone", async () => {
    const token = await tenantKey(SECRET, "pii-token", "acme");
    const quarantine = await tenantKey(SECRET, "quarantine", "acme");
    expect(await tenantKey(SECRET, "pii-token", "acme")).toBe(token);
    expect([token.extractable, quarantine.extractable]).toEqual([false, false]);
    expect([token.usages, quarantine.usages]).toEqual([["sign"], ["encrypt", "decrypt"]]);
    expect(quarantine.algorithm).toMatchObject({ name: "AES-GCM", length: 256 });
  });

  it("is not made of a secret that can be guessed", async () => {
    await expect(tenantKey("x".repeat(31), "quarantine", "acme")).rejects.toThrow(RangeError);
  });
});
