import { decodeBase64Url, encodeBase64Url } from "../base64.ts";
import { err, ok, type Result } from "../result.ts";
import type { KeyPurpose } from "./tenant-keys.ts";

/** What a sealed text belongs to; it opens nowhere else. */
export interface SealContext {
  readonly tenant: string;
  readonly purpose: KeyPurpose;
  readonly id: string;
}

/** `not_authentic`: another key, another context, or changed on the way. */
export type OpenRefusal = "malformed" | "not_authentic";

const IV_BYTES = 12;
const TAG_BYTES = 16;
const encoder = new TextEncoder();

/**
 * `e1.<iv>.<ciphertext>` in base64url: AES-256-GCM under a tenant's key with a random 96-bit
 * nonce, bound to its context, so that a sealed text moved to another row does not open.
 */
export async function seal(
  key: CryptoKey,
  context: SealContext,
  plain: Uint8Array,
): Promise<string> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const sealed = await crypto.subtle.encrypt(parameters(iv, context), key, plain);
  return `e1.${encodeBase64Url(iv)}.${encodeBase64Url(new Uint8Array(sealed))}`;
}

/** What was sealed in this context with this key. */
export async function open(
  key: CryptoKey,
  context: SealContext,
  sealed: string,
): Promise<Result<Uint8Array<ArrayBuffer>, OpenRefusal>> {
  const [version, ivText = "", text = "", ...rest] = sealed.split(".", 4);
  const iv = decodeBase64Url(ivText);
  const bytes = decodeBase64Url(text);
  const shaped = version === "e1" && rest.length === 0 && iv?.length === IV_BYTES;
  if (!shaped || bytes === null || bytes.length < TAG_BYTES) return err("malformed");
  try {
    return ok(new Uint8Array(await crypto.subtle.decrypt(parameters(iv, context), key, bytes)));
  } catch {
    return err("not_authentic");
  }
}

/** Tenant and purpose hold no `|`, so the three parts never run into each other. */
function parameters(iv: Uint8Array<ArrayBuffer>, { tenant, purpose, id }: SealContext) {
  return { name: "AES-GCM", iv, additionalData: encoder.encode(`${tenant}|${purpose}|${id}`) };
}
