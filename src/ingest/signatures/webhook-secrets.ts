import { decodeBase64 } from "../../base64.ts";
import { isTenantName } from "../../governance/tenant-name.ts";
import { err, ok, type Result } from "../../result.ts";

/** `whsec_` (HMAC-SHA256, shared) or `whpk_` (the sender's ed25519 public key), in base64. */
export interface WebhookSecret {
  readonly tenant: string;
  readonly secret: string;
}

export interface WebhookKey {
  /** The version of signatures that this key checks, and no other. */
  readonly version: "v1" | "v1a";
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Each signed request is tried against every secret. */
export const MAX_WEBHOOK_SECRETS = 256;

/** Pure. The key in a secret's text, or null: 24 to 64 bytes for `whsec_`, 32 for `whpk_`. */
export function readWebhookKey(secret: string): WebhookKey | null {
  const [, kind, text = ""] = /^(whsec|whpk)_([A-Za-z0-9+/=]{1,100})$/.exec(secret) ?? [];
  const bytes = decodeBase64(text.replace(/=+$/, "").padEnd(Math.ceil(text.length / 4) * 4, "="));
  if (bytes === null) return null;
  if (kind === "whsec" && bytes.length >= 24 && bytes.length <= 64) return { version: "v1", bytes };
  if (kind === "whpk" && bytes.length === 32) return { version: "v1a", bytes };
  return null;
}

/**
 * Pure. The secrets of a configuration text: `tenant:whsec_…` or `tenant:whpk_…` entries separated
 * by spaces, line ends or commas. A tenant may have several, so that senders can change theirs; two
 * tenants may not share one, since a signature has to say whose event it is. The error says which
 * entry is wrong and holds no secret.
 */
export function parseWebhookSecrets(text: string): Result<readonly WebhookSecret[], string> {
  const entries = text.split(/[\s,]+/).filter((entry) => entry !== "");
  if (entries.length > MAX_WEBHOOK_SECRETS) return err(`more than ${MAX_WEBHOOK_SECRETS} entries`);
  const owners = new Map<string, string>();
  const secrets: WebhookSecret[] = [];
  for (const [index, entry] of entries.entries()) {
    const where = `entry ${index + 1} of ${entries.length}`;
    const colon = entry.indexOf(":");
    const tenant = entry.slice(0, Math.max(0, colon));
    const secret = entry.slice(colon + 1);
    const key = readWebhookKey(secret);
    if (!isTenantName(tenant)) return err(`${where}: expected tenant:whsec_… or tenant:whpk_…`);
    if (key === null) {
      return err(`${where}: expected whsec_ and 24 to 64 bytes, or whpk_ and 32, in base64`);
    }
    const identity = `${key.version}:${key.bytes.join(",")}`;
    if ((owners.get(identity) ?? tenant) !== tenant) {
      return err(`${where}: another tenant has the same secret`);
    }
    owners.set(identity, tenant);
    secrets.push({ tenant, secret });
  }
  return entries.length === 0 ? err("expected at least one entry") : ok(secrets);
}
