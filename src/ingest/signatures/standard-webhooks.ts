import { decodeBase64 } from "../../base64.ts";
import { createBoundedCache } from "../../governance/bounded-cache.ts";
import { err, ok, type Result } from "../../result.ts";
import { SECOND_MS } from "../../time.ts";
import { readWebhookKey, type WebhookSecret } from "./webhook-secrets.ts";

/** How far the sender's clock may be from ours, either way. */
export const WEBHOOK_TOLERANCE_S = 300;

/** Why a request is refused; none of them says which tenants there are. */
export type SignatureRefusal =
  | "missing_headers"
  | "malformed_headers"
  | "timestamp_out_of_tolerance"
  | "no_match";

export interface SignedRequest {
  readonly headers: Pick<Headers, "get">;
  /** The bytes as they came, before decompression and parsing. */
  readonly body: Uint8Array;
  /** Epoch ms. */
  readonly now: number;
  readonly secrets: readonly WebhookSecret[];
}

export interface VerifiedWebhook {
  readonly tenant: string;
  /** The message's id; the same when the sender repeats it, as long as the sender says so. */
  readonly id: string;
}

interface Candidate {
  readonly version: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

// Visible ASCII but the dot: with a dot, "a.1" + "2" and "a" + "1.2" would sign alike.
const ID = /^[!-\-/-~]{1,256}$/;
const TIMESTAMP = /^(0|[1-9]\d{0,11})$/;
const SIGNATURE_BYTES: Readonly<Record<string, number>> = { v1: 32, v1a: 64 };
const MAX_SIGNATURES = 16;
const MAX_SIGNATURE_HEADER = 4096;

const encoder = new TextEncoder();
const imported = createBoundedCache<CryptoKey>(512);

/**
 * Whose message this is, by Standard Webhooks 1.0.0: `v1` is HMAC-SHA256, `v1a` ed25519, over
 * `id.timestamp.body`. Every signature is tried against every secret of its own version, matched or
 * not, so that neither the answer nor its time tells tenants apart. A secret that cannot be read
 * matches nothing, and so does a signature that fits two tenants.
 */
export async function verifyStandardWebhook(
  request: SignedRequest,
): Promise<Result<VerifiedWebhook, SignatureRefusal>> {
  const id = request.headers.get("webhook-id");
  const timestamp = request.headers.get("webhook-timestamp");
  const signatures = request.headers.get("webhook-signature");
  if (!id || !timestamp || !signatures) return err("missing_headers");
  const candidates = readSignatures(signatures);
  if (!ID.test(id) || !TIMESTAMP.test(timestamp) || candidates === null) {
    return err("malformed_headers");
  }
  const skew = Math.abs(Math.floor(request.now / SECOND_MS) - Number(timestamp));
  if (skew > WEBHOOK_TOLERANCE_S) return err("timestamp_out_of_tolerance");

  const content = concat(encoder.encode(`${id}.${timestamp}.`), request.body);
  const matches = await Promise.all(
    request.secrets.map(({ secret }) => signedWith(secret, candidates, content)),
  );
  const tenants = new Set(request.secrets.filter((_, i) => matches[i]).map(({ tenant }) => tenant));
  const [tenant, ...others] = tenants;
  return tenant !== undefined && others.length === 0 ? ok({ tenant, id }) : err("no_match");
}

/** The signatures of known versions; null for a header that no sender writes. */
function readSignatures(header: string): readonly Candidate[] | null {
  const entries = header.length <= MAX_SIGNATURE_HEADER ? header.split(" ") : [];
  if (entries.length === 0 || entries.length > MAX_SIGNATURES) return null;
  return entries.flatMap((entry) => {
    const [, version = "", text = ""] = /^([a-z0-9]{1,8}),([A-Za-z0-9+/=]+)$/.exec(entry) ?? [];
    const bytes = decodeBase64(text);
    return bytes !== null && bytes.length === SIGNATURE_BYTES[version] ? [{ version, bytes }] : [];
  });
}

async function signedWith(
  secret: string,
  candidates: readonly Candidate[],
  content: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const key = readWebhookKey(secret);
  const mine = candidates.filter(({ version }) => version === key?.version);
  if (key === null || mine.length === 0) return false;
  if (key.version === "v1a") {
    const publicKey = await importedKey(secret, key.bytes, "Ed25519", "verify");
    const checks = mine.map(({ bytes }) =>
      crypto.subtle.verify("Ed25519", publicKey, bytes, content),
    );
    return (await Promise.all(checks)).includes(true);
  }
  // Signed once and compared with each: a long body is hashed once per secret.
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const hmacKey = await importedKey(secret, key.bytes, algorithm, "sign");
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", hmacKey, content));
  return mine.map(({ bytes }) => equalInConstantTime(mac, bytes)).includes(true);
}

async function importedKey(
  secret: string,
  bytes: Uint8Array<ArrayBuffer>,
  algorithm: string | { name: string; hash: string },
  usage: "sign" | "verify",
): Promise<CryptoKey> {
  const known = imported.get(secret);
  if (known !== undefined) return known;
  const key = await crypto.subtle.importKey("raw", bytes, algorithm, false, [usage]);
  imported.set(secret, key);
  return key;
}

/** Looks at every byte, whatever the first ones say. */
function equalInConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < a.length; i += 1) difference |= (a[i] ?? 0) ^ (b[i] ?? 0);
  return difference === 0;
}

function concat(head: Uint8Array, tail: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(head.length + tail.length);
  whole.set(head);
  whole.set(tail, head.length);
  return whole;
}
