import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { decodeBase64, encodeBase64 } from "../../src/base64.ts";
import { createVault } from "../../src/governance/vault.ts";
import { parseExactJson } from "../../src/ingest/exact-json.ts";
import { inflate } from "../../src/routes/middleware/body.ts";

describe("what workerd brings", () => {
  it("keeps the text of numbers through JSON", () => {
    const text = '{"n":9007199254740993,"d":12345678901234567890.123456789012345678,"z":1.0,"i":7}';
    const parsed = parseExactJson(text);
    expect(parsed.ok && JSON.stringify(parsed.value)).toBe(text);
  });

  it("seals and tokenises", async () => {
    const vault = createVault("an-encryption-secret-of-32-bytes!");
    const sealed = await vault.seal("acme", "qrt_1", "text");
    expect(await vault.open("acme", "qrt_1", sealed)).toEqual({ ok: true, value: "text" });
    expect((await vault.open("globex", "qrt_1", sealed)).ok).toBe(false);
    const token = await vault.token("acme", { name: "email", email: true }, " Ada@Example.com");
    expect(token).toBe(
      await vault.token("acme", { name: "email", email: true }, "ada@example.com"),
    );
  });

  it("checks ed25519 signatures", async () => {
    const pair = (await crypto.subtle.generateKey("Ed25519", true, [
      "sign",
      "verify",
    ])) as CryptoKeyPair;
    const data = new TextEncoder().encode("a");
    const signature = await crypto.subtle.sign("Ed25519", pair.privateKey, data);
    expect(await crypto.subtle.verify("Ed25519", pair.publicKey, signature, data)).toBe(true);
  });

  it("reads base64 as strictly as Node", () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    expect(decodeBase64(encodeBase64(bytes))).toEqual(bytes);
    for (const text of ["AA", "AA=", " AA==", "AB==", "AA-="])
      expect(decodeBase64(text)).toBeNull();
  });

  it("gives one environment to all requests", () => {
    expect(env.ENVIRONMENT).toBe("local");
  });
});

describe("inflate in workerd", () => {
  const gzip = async (bytes: Uint8Array): Promise<Uint8Array> => {
    const packed = new Response(bytes).body?.pipeThrough(new CompressionStream("gzip"));
    return new Uint8Array(await new Response(packed).arrayBuffer());
  };

  it("gives back what was compressed", async () => {
    const bytes = crypto.getRandomValues(new Uint8Array(50_000));
    expect(await inflate("gzip", await gzip(bytes), 60_000)).toEqual(bytes);
  });

  it("stops a bomb at the limit", async () => {
    const bomb = await gzip(new Uint8Array(64 * 1024 * 1024));
    await expect(inflate("gzip", bomb, 1024 * 1024)).rejects.toMatchObject({
      code: "payload_too_large",
    });
  });

  it.each([
    ["text", new TextEncoder().encode("{}")],
    ["nothing", new Uint8Array()],
  ])("refuses %s under that name", async (_, bytes) => {
    await expect(inflate("gzip", bytes, 1_000)).rejects.toMatchObject({ code: "invalid_request" });
  });

  it("refuses half of it, and more than it", async () => {
    const whole = await gzip(new TextEncoder().encode(JSON.stringify({ a: "b".repeat(100) })));
    const cut = whole.subarray(0, whole.length - 6);
    await expect(inflate("gzip", cut, 1_000)).rejects.toMatchObject({ code: "invalid_request" });
    const more = new Uint8Array([...whole, ...new TextEncoder().encode("trailing")]);
    await expect(inflate("gzip", more, 1_000)).rejects.toMatchObject({ code: "invalid_request" });
  });
});
