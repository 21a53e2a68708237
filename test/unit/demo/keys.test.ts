import { describe, expect, it } from "vitest";
import { developmentKeys } from "../../../local/demo/keys.ts";
import { verifyApiKey } from "../../../src/governance/api-key.ts";

const SECRET = "a signing secret of more than thirty-two bytes";

describe("developmentKeys", () => {
  it("are the same at every start", async () => {
    expect(await developmentKeys(SECRET, 8787)).toEqual(await developmentKeys(SECRET, 8787));
  });

  it("are of the example's tenant, one for servers and one for pages of this machine", async () => {
    const keys = await developmentKeys(SECRET, 8787);
    expect(await verifyApiKey([SECRET], keys.secret, 0)).toMatchObject({
      ok: true,
      value: { tenant: "demo", roles: ["admin"] },
    });
    expect(await verifyApiKey([SECRET], keys.publishable, 0)).toMatchObject({
      ok: true,
      value: { tenant: "demo", roles: ["frontend"], origins: keys.origins },
    });
    expect(keys.origins).toContain("http://localhost:8787");
    expect(keys.origins).toContain("http://127.0.0.1:8787");
  });

  it("last no longer than the signing secret", async () => {
    const keys = await developmentKeys(SECRET, 8787);
    const other = `${SECRET}, but another one`;
    expect(await verifyApiKey([other], keys.secret, 0)).toMatchObject({ ok: false });
  });
});
