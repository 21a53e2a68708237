import { analyse, termsOf } from "./analyse.ts";
import type { Embedding, VectorSpace } from "./embedder.ts";
import { unitVector } from "./unit-vector.ts";

/**
 * Feature hashing (Weinberger et al., ICML 2009) of words and their parts: no model, so it is there
 * at once and always, and no meaning, so it finds only what is spelt alike: inflected, compound and
 * misspelt words. The features of a text are its terms as `analyse` gives them, and the trigrams of
 * each word, of which most survive a typing error; of Chinese, Japanese and Korean pairs of
 * characters, the characters. The same for documents and queries, and on every machine.
 */
export function createHashingEmbedder(dimensions: number): VectorSpace {
  return {
    identity: `lexical-hashing-1/${dimensions}`,
    dimensions,
    embedder: { embed: async (texts) => texts.map((text) => embed(text, dimensions)) },
  };
}

/** On SciFact a higher weight finds more misspelt words and fewer others. */
const PART_WEIGHT = 0.7;

function embed(text: string, dimensions: number): Embedding {
  const values: number[] = Array.from({ length: dimensions }, () => 0);
  const add = (feature: string, count: number, weight: number): void => {
    const hash = hashOf(feature);
    const at = (hash >>> 1) % dimensions;
    const value = weight * (1 + Math.log(count));
    values[at] = (values[at] ?? 0) + (hash % 2 === 0 ? value : -value);
  };
  const parts = new Map<string, number>();
  for (const { term, count } of termsOf(analyse(text, "auto")).terms) {
    add(term, count, 1);
    for (const part of partsOf(term)) parts.set(part, (parts.get(part) ?? 0) + count);
  }
  for (const [part, count] of parts) add(part, count, PART_WEIGHT);
  return unitVector(values);
}

const WIDE = /^[\u{2e80}-\u{9fff}\u{ac00}-\u{d7ff}\u{f900}-\u{faff}\u{20000}-\u{3ffff}]/u;

/** Marked, so that no part is taken for a term. */
function partsOf(term: string): readonly string[] {
  const characters = Array.from(term);
  if (WIDE.test(term)) return characters.map((character) => `\0${character}`);
  const marked = ["^", ...characters, "$"];
  return marked.slice(2).map((_, i) => `\0${marked.slice(i, i + 3).join("")}`);
}

/**
 * Pure. FNV-1a of the UTF-16 units, 32 bits, mixed by MurmurHash3's finaliser: FNV-1a alone leaves
 * the lowest bit a parity of the letters.
 */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
