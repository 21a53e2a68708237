const encoder = new TextEncoder();

const MASK = 0xffff_ffff_ffff_ffffn;
const WORD = 2 ** 32;

/** 64 bits, as two halves of 32. */
export interface Hash64 {
  readonly high: number;
  readonly low: number;
}

/**
 * Pure. FNV-1a of the text's UTF-8 bytes in 64 bits, then the finaliser of MurmurHash3 (fmix64),
 * which spreads every bit of it over all others. Partial states hold what it gives: it never changes.
 */
export function hash64(text: string): Hash64 {
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  for (const byte of encoder.encode(text)) {
    low = (low ^ byte) >>> 0;
    // times 2^40 + 435, in halves that doubles multiply exactly
    const product = low * 435;
    high = (high * 435 + Math.floor(product / WORD) + ((low << 8) >>> 0)) % WORD;
    low = product % WORD;
  }
  let h = (BigInt(high) << 32n) | BigInt(low);
  h = ((h ^ (h >> 33n)) * 0xff51afd7ed558ccdn) & MASK;
  h = ((h ^ (h >> 33n)) * 0xc4ceb9fe1a85ec53n) & MASK;
  h ^= h >> 33n;
  return { high: Number(h >> 32n), low: Number(h & 0xffff_ffffn) };
}
