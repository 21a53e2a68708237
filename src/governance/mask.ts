import { encodeBase64Url } from "../base64.ts";

/** How personal data is kept: as a keyed token that still joins, or not at all. */
export type PiiTag = "token" | "drop";

/** A field of a record, as far as masking cares. */
export interface MaskedField {
  readonly name: string;
  readonly pii: PiiTag | null;
  /** E-mail addresses are trimmed and lower-cased first, since people write them in many ways. */
  readonly email: boolean;
}

const TOKEN_BYTES = 16;
const encoder = new TextEncoder();

/**
 * The token of a personal value: `t1_` and 128 bits of HMAC-SHA256(field ‖ 0x00 ‖ value) under the
 * tenant's `pii-token` key. Equal values in equally named fields have equal tokens within a tenant,
 * and no others; a value with few possibilities can be guessed by who has the key, by nobody else.
 */
export async function tokenise(
  key: CryptoKey,
  field: Pick<MaskedField, "name" | "email">,
  value: string,
): Promise<string> {
  const message = encoder.encode(`${field.name}\0${canonical(value, field.email)}`);
  const mac = await crypto.subtle.sign("HMAC", key, message);
  return `t1_${encodeBase64Url(new Uint8Array(mac, 0, TOKEN_BYTES))}`;
}

/**
 * A copy of a record in which every tagged field is its token, or is gone; null and absent values
 * stay. Throws a TypeError for a tagged value that is not text: the record was not validated, and
 * nothing of it may pass.
 */
export async function maskRecord(
  record: Readonly<Record<string, unknown>>,
  fields: readonly MaskedField[],
  key: CryptoKey,
): Promise<Record<string, unknown>> {
  const tagged = new Map(fields.flatMap((field) => (field.pii ? [[field.name, field]] : [])));
  const kept = Object.entries(record).filter(([name]) => tagged.get(name)?.pii !== "drop");
  const entries = kept.map(async ([name, value]): Promise<[string, unknown]> => {
    const field = tagged.get(name);
    if (field === undefined || value === null || value === undefined) return [name, value];
    if (typeof value !== "string") throw new TypeError(`field "${name}" must be text to be masked`);
    return [name, await tokenise(key, field, value)];
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** Lower case can undo a composed form, hence the second normalisation. */
function canonical(value: string, email: boolean): string {
  const composed = value.normalize("NFC");
  return email ? composed.trim().toLowerCase().normalize("NFC") : composed;
}
