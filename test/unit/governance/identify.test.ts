import { describe, expect, it } from "vitest";
import { AppError } from "../../../src/errors.ts";
import { signApiKey } from "../../../src/governance/api-key.ts";
import { identify } from "../../../src/governance/identify.ts";

const SECRET = "the-first-secret-of-thirty-two-bytes";
const NOW = 1_795_324_745_202;
const SHOP = "https://shop.example";

const secretKey = await signApiKey(SECRET, {
  v: 1,
  tenant: "acme",
  kid: "key_01server",
  name: "Reports",
  roles: ["reader", "producer"],
  exp: Math.floor(NOW / 1000) + 60,
});
const publicKey = await signApiKey(SECRET, {
  v: 1,
  tenant: "acme",
  kid: "key_01page",
  roles: ["frontend"],
  origins: [SHOP, "http://localhost:5173"],
});

interface Given {
  readonly origin?: string | null;
  readonly now?: number;
  readonly revoked?: readonly string[];
}

const ask = (
  authorization: string | null,
  { origin = null, now = NOW, revoked = [] }: Given = {},
) =>
  identify(
    { authorization, origin, now },
    { secrets: [SECRET], revoked: (tenant, kid) => revoked.includes(`${tenant}/${kid}`) },
  );

async function refusal(...request: Parameters<typeof ask>): Promise<string> {
  const error: unknown = await ask(...request).then(
    () => new Error("identified"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof AppError)) throw error;
  expect(error.code).toBe("unauthorized");
  return error.message;
}

describe("identify", () => {
  it("knows a secret key from anywhere", async () => {
    for (const origin of [null, SHOP, "https://evil.example"]) {
      expect(await ask(`Bearer ${secretKey}`, { origin })).toEqual({
        kind: "secret",
        tenant: "acme",
        keyId: "key_01server",
        name: "Reports",
        roles: ["reader", "producer"],
        origins: null,
        origin,
      });
    }
  });

  it("knows a publishable key from each of its origins", async () => {
    for (const origin of [SHOP, "http://localhost:5173"]) {
      const principal = await ask(`Bearer ${publicKey}`, { origin });
      expect(principal).toMatchObject({ kind: "publishable", tenant: "acme", origin });
    }
  });

  it.each([null, "", "null", "https://evil.example", `${SHOP}/`, `${SHOP}:443`, `${SHOP}.evil.io`])(
    "refuses a publishable key from the origin %j",
    async (origin) => {
      expect(await refusal(`Bearer ${publicKey}`, { origin })).toMatch(/browser, on the origins/);
    },
  );

  it.each(["Bearer ", "bearer ", "BEARER ", "Bearer   ", "Bearer: ", "bearer:  "])(
    "reads a key behind %j",
    async (scheme) => {
      expect(await ask(`${scheme}${secretKey}`)).toMatchObject({ keyId: "key_01server" });
      expect(await ask(`${scheme}${secretKey} `)).toMatchObject({ keyId: "key_01server" });
    },
  );

  it.each([
    null,
    "",
    "Bearer",
    "Bearer ",
    `Basic ${secretKey}`,
    `Bearer${secretKey}`,
    `Bearer:${secretKey}`,
    `Bearer:: ${secretKey}`,
    `Token Bearer ${secretKey}`,
    `Bearer ${secretKey} ${publicKey}`,
    `Bearer ${secretKey}, Bearer ${publicKey}`,
    secretKey,
  ])("asks for one key where it gets %j", async (authorization) => {
    expect(await refusal(authorization)).toMatch(/API key: Authorization: Bearer/);
  });

  it("says the same of a forged, a foreign, a misshapen and a revoked key", async () => {
    const foreign = await signApiKey("another-secret-of-at-least-32-bytes!", {
      v: 1,
      tenant: "acme",
      kid: "key_01foreign",
      roles: ["admin"],
    });
    const messages = [
      await refusal(`Bearer ${secretKey.slice(0, -1)}`),
      await refusal(`Bearer ${foreign}`),
      await refusal("Bearer 1234"),
      await refusal(`Bearer ${secretKey}`, { revoked: ["acme/key_01server"] }),
    ];
    expect(new Set(messages)).toEqual(new Set(["The API key is not valid."]));
  });

  it("does not mind that another tenant's key of the same id is revoked", async () => {
    expect(await ask(`Bearer ${secretKey}`, { revoked: ["globex/key_01server"] })).toMatchObject({
      tenant: "acme",
    });
  });

  it("tells that a key has expired only to who holds it whole", async () => {
    const later = { now: NOW + 60_000 };
    expect(await refusal(`Bearer ${secretKey}`, later)).toBe("The API key has expired.");
    expect(await refusal(`Bearer ${secretKey.slice(0, -2)}AA`, later)).toMatch(/not valid/);
  });

  it("refuses a header of any size at once", async () => {
    const huge = `Bearer ${" ".repeat(10_000_000)}${secretKey}`;
    expect(await refusal(huge)).toMatch(/API key/);
    expect(await refusal(`Bearer ${"A".repeat(4100)}`)).toMatch(/not valid/);
  });

  it("keeps secrets and keys out of what it says", async () => {
    for (const message of [
      await refusal(`Bearer ${publicKey}`),
      await refusal(`Bearer ${secretKey}x`),
    ]) {
      expect(message).not.toContain(SHOP);
      expect(message).not.toContain("fr_live_e");
    }
  });
});
