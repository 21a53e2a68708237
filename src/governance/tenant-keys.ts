import { createBoundedCache } from "./bounded-cache.ts";
import { isLongEnough, MIN_SECRET_BYTES } from "./key-secrets.ts";

/** What a derived key is for; a key of one purpose is of no use for another. */
export type KeyPurpose = "pii-token" | "quarantine";

const ALGORITHM = {
  "pii-token": { name: "HMAC", hash: "SHA-256", length: 256 },
  quarantine: { name: "AES-GCM", length: 256 },
} as const;

const USAGES = {
  "pii-token": ["sign"],
  quarantine: ["encrypt", "decrypt"],
} as const;

const encoder = new TextEncoder();
const derived = createBoundedCache<CryptoKey>(512);

/**
 * A tenant's own key for one purpose: HKDF-SHA256 (RFC 5869) of the deployment's secret, with
 * `freshet|purpose|tenant|version` as info. Not extractable. `pii-token` is HMAC-SHA256,
 * `quarantine` AES-256-GCM. Throws a RangeError for a secret under 32 bytes.
 */
export async function tenantKey(
  secret: string,
  purpose: KeyPurpose,
  tenant: string,
  version = 1,
): Promise<CryptoKey> {
  const info = `freshet|${purpose}|${tenant}|${version}`;
  const known = derived.get(`${info}|${secret}`);
  if (known !== undefined) return known;
  if (!isLongEnough(secret)) {
    throw new RangeError(`the encryption secret needs at least ${MIN_SECRET_BYTES} bytes`);
  }
  const base = await crypto.subtle.importKey("raw", encoder.encode(secret), "HKDF", false, [
    "deriveKey",
  ]);
  const key = await crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: encoder.encode(info) },
    base,
    ALGORITHM[purpose],
    false,
    [...USAGES[purpose]],
  );
  derived.set(`${info}|${secret}`, key);
  return key;
}
