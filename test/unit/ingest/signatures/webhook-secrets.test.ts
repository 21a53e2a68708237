import { describe, expect, it } from "vitest";
import {
  MAX_WEBHOOK_SECRETS,
  parseWebhookSecrets,
} from "../../../../src/ingest/signatures/webhook-secrets.ts";
import { NodeBuffer } from "../../../support/node-buffer.ts";

const whsec = (bytes: number, fill = 7): string =>
  `whsec_${NodeBuffer.alloc(bytes, fill).toString("base64")}`;
const whpk = (bytes: number): string => `whpk_${NodeBuffer.alloc(bytes, 9).toString("base64")}`;

describe("the webhook secrets", () => {
  it("are entries of a tenant and a secret, separated by spaces, commas or line ends", () => {
    const text = ` acme:${whsec(24)},acme:${whsec(64, 8)}\n globex:${whpk(32)} `;
    expect(parseWebhookSecrets(text)).toEqual({
      ok: true,
      value: [
        { tenant: "acme", secret: whsec(24) },
        { tenant: "acme", secret: whsec(64, 8) },
        { tenant: "globex", secret: whpk(32) },
      ],
    });
  });

  it("may lack their padding", () => {
    expect(parseWebhookSecrets(`acme:${whsec(25).replace(/=+$/, "")}`).ok).toBe(true);
  });

  it.each([
    ["", /at least one/],
    [" , ", /at least one/],
    [whsec(32), /entry 1 of 1: expected tenant:/],
    [`Acme:${whsec(32)}`, /entry 1 of 1: expected tenant:/],
    [`__proto__:${whsec(32)}`, /entry 1 of 1: expected tenant:/],
    [`acme: ${whsec(32)}`, /entry 1 of 2/],
    [`acme:${whsec(32)},globex:whsec_`, /entry 2 of 2: expected whsec_/],
    [`acme:${whsec(23)}`, /24 to 64 bytes/],
    [`acme:${whsec(65)}`, /24 to 64 bytes/],
    [`acme:${whpk(31)}`, /24 to 64 bytes/],
    [`acme:${whpk(33)}`, /24 to 64 bytes/],
    [`acme:whsk_${"A".repeat(44)}`, /24 to 64 bytes/],
    [`acme:${whsec(32).replace("whsec_", "WHSEC_")}`, /24 to 64 bytes/],
    [`acme:whsec_${"A".repeat(31)}!`, /24 to 64 bytes/],
    [`acme:whsec_${"A".repeat(5000)}`, /24 to 64 bytes/],
    [`acme:${whsec(32)} globex:${whsec(32)}`, /entry 2 of 2: another tenant has the same secret/],
    [`acme:${whsec(25)} globex:${whsec(25).replace(/=+$/, "")}`, /same secret/],
  ])("are refused in %j", (text, message) => {
    const parsed = parseWebhookSecrets(text);
    if (parsed.ok) throw new Error("accepted");
    expect(parsed.error).toMatch(message);
    expect(parsed.error).not.toMatch(/[A-Za-z0-9+/]{16}/);
  });

  it("are refused in excess", () => {
    const many = Array.from({ length: MAX_WEBHOOK_SECRETS + 1 }, () => `acme:${whsec(32)}`);
    expect(parseWebhookSecrets(many.slice(1).join(" ")).ok).toBe(true);
    expect(parseWebhookSecrets(many.join(" ")).ok).toBe(false);
  });
});
