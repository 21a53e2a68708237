import { decodeBase64Url, encodeBase64Url } from "../base64.ts";
import { err, ok, type Result } from "../result.ts";
import { SECOND_MS } from "../time.ts";
import { apiKeyClaims, kindOf, type ApiKeyClaims } from "./api-key-claims.ts";
import { createBoundedCache } from "./bounded-cache.ts";
import { isLongEnough, MIN_SECRET_BYTES } from "./key-secrets.ts";

export const MAX_KEY_LENGTH = 4096;

/** Why a key is refused; `expired` is said only of a key whose signature is right. */
export type KeyRefusal = "malformed" | "bad_signature" | "unsupported" | "expired";

const PREFIX = { secret: "fr_live_", publishable: "fr_pub_" } as const;
const SHAPE = /^(fr_live_|fr_pub_)([A-Za-z0-9_-]{1,4000})\.([A-Za-z0-9_-]{43})$/;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const signingKeys = createBoundedCache<CryptoKey>(16);
// By the whole token: only tokens that verified get in, so nobody fills it with guesses, and a
// look-up compares full hashes with a random seed, which tells nothing about a nearly right token.
const verified = createBoundedCache<{ readonly secret: string; readonly claims: ApiKeyClaims }>(
  1000,
);

/**
 * The key with these claims: `fr_live_` or, for claims with origins, `fr_pub_`, then
 * base64url(JSON claims), a dot, and base64url(HMAC-SHA256 of all before the dot).
 * Throws a TypeError for claims that no key may have, a RangeError for a secret under 32 bytes.
 */
export async function signApiKey(secret: string, claims: ApiKeyClaims): Promise<string> {
  const parsed = apiKeyClaims.safeParse(claims);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new TypeError(
      `a key cannot have this claim: ${issue?.path.join(".")}: ${issue?.message}`,
    );
  }
  const signed =
    PREFIX[kindOf(claims)] + encodeBase64Url(encoder.encode(JSON.stringify(parsed.data)));
  const mac = await crypto.subtle.sign("HMAC", await signingKey(secret), encoder.encode(signed));
  const token = `${signed}.${encodeBase64Url(new Uint8Array(mac))}`;
  if (token.length > MAX_KEY_LENGTH) throw new TypeError("a key cannot have this many claims");
  return token;
}

/**
 * The claims of a key that one of the secrets signed and that is not expired at `now` (epoch ms).
 * Nothing of a key is parsed before its signature is right. A key seen before costs no
 * cryptography as long as the secret that signed it is still listed.
 */
export async function verifyApiKey(
  secrets: readonly string[],
  token: string,
  now: number,
): Promise<Result<ApiKeyClaims, KeyRefusal>> {
  if (token.length > MAX_KEY_LENGTH) return err("malformed");
  const known = verified.get(token);
  if (known !== undefined && secrets.includes(known.secret))
    return unlessExpired(known.claims, now);

  const [, prefix, payload = "", signature = ""] = SHAPE.exec(token) ?? [];
  const bytes = decodeBase64Url(payload);
  const mac = decodeBase64Url(signature);
  if (prefix === undefined || bytes === null || mac === null) return err("malformed");
  const secret = await signerOf(secrets, mac, encoder.encode(prefix + payload));
  if (secret === undefined) return err("bad_signature");

  const claims = readClaims(bytes);
  if (claims === null || PREFIX[kindOf(claims)] !== prefix) return err("unsupported");
  verified.set(token, { secret, claims });
  return unlessExpired(claims, now);
}

async function signerOf(
  secrets: readonly string[],
  mac: Uint8Array,
  signed: Uint8Array,
): Promise<string | undefined> {
  for (const secret of secrets) {
    if (await crypto.subtle.verify("HMAC", await signingKey(secret), mac, signed)) return secret;
  }
  return undefined;
}

function readClaims(bytes: Uint8Array): ApiKeyClaims | null {
  try {
    const parsed = apiKeyClaims.safeParse(JSON.parse(decoder.decode(bytes)));
    if (!parsed.success) return null;
    // Shared by every request with this key.
    Object.freeze(parsed.data.roles);
    Object.freeze(parsed.data.origins);
    return parsed.data;
  } catch {
    return null;
  }
}

function unlessExpired(claims: ApiKeyClaims, now: number): Result<ApiKeyClaims, KeyRefusal> {
  return claims.exp !== undefined && claims.exp * SECOND_MS <= now ? err("expired") : ok(claims);
}

async function signingKey(secret: string): Promise<CryptoKey> {
  const known = signingKeys.get(secret);
  if (known !== undefined) return known;
  if (!isLongEnough(secret)) {
    throw new RangeError(`a signing secret needs at least ${MIN_SECRET_BYTES} bytes`);
  }
  const key = await crypto.subtle.importKey(
    "raw",
    encoder.encode(secret),
    { name: "HMAC", hash: "SHA-256" },
    false,
    ["sign", "verify"],
  );
  signingKeys.set(secret, key);
  return key;
}
