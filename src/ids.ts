const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";

export type IdPrefix = "evt" | "qrt" | "req" | "key" | "gen" | "prd" | "doc" | "ans";

/**
 * A prefixed id that sorts by time: `qrt_` and 26 characters of Crockford base 32, 48 bits of
 * `now` (epoch ms) and 80 random bits.
 */
export function newId(prefix: IdPrefix, now: number): string {
  let tail = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(16))) tail += ALPHABET.charAt(byte % 32);
  return `${prefix}_${timePart(now)}${tail}`;
}

/** Pure. An id like newId's that is the same whenever time and seed (hex, 16 digits) are. */
export const stableId = (prefix: IdPrefix, now: number, seed: string): string =>
  `${prefix}_${timePart(now)}${seed.slice(0, 16)}`;

function timePart(now: number): string {
  let text = "";
  for (let rest = now, i = 0; i < 10; i += 1) {
    text = ALPHABET.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}
