import { createDecipheriv, hkdfSync } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { open, seal, type SealContext } from "../../../src/governance/seal.ts";
import { tenantKey } from "../../../src/governance/tenant-keys.ts";
import { NodeBuffer } from "../../support/node-buffer.ts";

const SECRET = "an-encryption-secret-of-32-bytes-or-more";
const acme = await tenantKey(SECRET, "quarantine", "acme");
const globex = await tenantKey(SECRET, "quarantine", "globex");
const HERE: SealContext = { tenant: "acme", purpose: "quarantine", id: "qrt_01" };

const bytes = fc.uint8Array({ maxLength: 300 });
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("a sealed text", () => {
  it("opens where it was sealed, and is never the same twice", async () => {
    await fc.assert(
      fc.asyncProperty(bytes, async (plain) => {
        const one = await seal(acme, HERE, plain);
        const two = await seal(acme, HERE, plain);
        expect(one).toMatch(/^e1\.[\w-]{16}\.[\w-]{22,}$/);
        expect(one).not.toBe(two);
        expect(await open(acme, HERE, one)).toEqual({ ok: true, value: plain });
        expect(await open(acme, HERE, two)).toEqual({ ok: true, value: plain });
      }),
    );
  });

  it("is AES-256-GCM with the context as additional data", async () => {
    const [, iv = "", sealed = ""] = (await seal(acme, HERE, utf8("a payload"))).split(".");
    const whole = NodeBuffer.from(sealed, "base64url");
    const key = NodeBuffer.from(hkdfSync("sha256", SECRET, "", "freshet|quarantine|acme|1", 32));
    const decipher = createDecipheriv("aes-256-gcm", key, NodeBuffer.from(iv, "base64url"));
    decipher.setAAD(NodeBuffer.from("acme|quarantine|qrt_01")).setAuthTag(whole.subarray(-16));
    expect(decipher.update(whole.subarray(0, -16)).toString() + decipher.final("utf8")).toBe(
      "a payload",
    );
  });

  it("never shows its text", async () => {
    await fc.assert(
      fc.asyncProperty(fc.stringMatching(/^[a-z]{8,40}$/), async (text) => {
        const sealed = await seal(acme, HERE, utf8(text));
        expect(sealed).not.toContain(text);
        expect(sealed).not.toContain(NodeBuffer.from(text).toString("base64url"));
      }),
    );
  });

  it.each<[string, SealContext]>([
    ["row", { ...HERE, id: "qrt_02" }],
    ["tenant", { ...HERE, tenant: "globex" }],
    ["purpose", { ...HERE, purpose: "pii-token" }],
    ["cut of the same text", { ...HERE, tenant: "acme|quarantine", id: "" }],
  ])("does not open in another %s", async (_, elsewhere) => {
    const sealed = await seal(acme, HERE, utf8("a payload"));
    expect(await open(acme, elsewhere, sealed)).toEqual({ ok: false, error: "not_authentic" });
  });

  it("does not open with another tenant's key", async () => {
    const sealed = await seal(acme, HERE, utf8("a payload"));
    expect(await open(globex, HERE, sealed)).toEqual({ ok: false, error: "not_authentic" });
  });

  it("does not open when any character of it is another", async () => {
    const sealed = await seal(acme, HERE, utf8("a payload"));
    await fc.assert(
      fc.asyncProperty(
        fc.nat({ max: sealed.length - 1 }),
        fc.constantFrom(..."ABab01-_. ".split("")),
        async (at, character) => {
          const changed = sealed.slice(0, at) + character + sealed.slice(at + 1);
          expect((await open(acme, HERE, changed)).ok).toBe(changed === sealed);
        },
      ),
    );
  });

  it.each([
    "",
    "e1",
    "e1..",
    "e2.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA",
    "e1.AAAAAAAAAAAAAAAA.AAAA",
    "e1.AAAA.AAAAAAAAAAAAAAAAAAAAAA",
    "e1.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAA.AAAA",
    "e1.AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAB",
    "__proto__",
  ])("is not %j", async (text) => {
    expect(await open(acme, HERE, text)).toEqual({ ok: false, error: "malformed" });
  });
});
