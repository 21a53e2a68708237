/** The vector that the fakes give for a text: another one for every text, and not of length 1. */
export function fakeVector(text: string, dimensions: number): readonly number[] {
  let state = 2_166_136_261;
  const next = (code: number): number => {
    state = Math.imul(state ^ code, 16_777_619);
    return state;
  };
  for (let i = 0; i < text.length; i += 1) next(text.charCodeAt(i));
  return Array.from({ length: dimensions }, (_, i) => (next(i) % 1_000) / 250 + 0.001);
}

/** What a server that embeds does wrong. */
export type EmbeddingFault =
  | "down"
  | "never_answers"
  | "one_vector_short"
  | "vectors_too_short"
  | "vectors_too_long"
  | "no_number"
  | "no_vectors"
  | "busy";

/** Vectors for the texts, spoilt as the fault says. */
export function fakeVectors(
  texts: readonly string[],
  dimensions: number,
  fault: EmbeddingFault | undefined,
): readonly (readonly unknown[])[] {
  const length =
    dimensions + (fault === "vectors_too_short" ? -1 : fault === "vectors_too_long" ? 1 : 0);
  const vectors: (readonly unknown[])[] = texts.map((text) => fakeVector(text, length));
  if (fault === "one_vector_short") return vectors.slice(1);
  if (fault === "no_number") return vectors.with(0, [null, ...fakeVector("", length - 1)]);
  return vectors;
}

/** A word in everything that a fake server says of itself, which is not to come through. */
export const VENDOR_WORD = "the-vendor-said";
