import { createRandom } from "../../local/demo/random.ts";

export const DIMENSIONS = 384;
/** Embeddings of text fill a space of far fewer dimensions than they have numbers. */
const LATENT = 64;
const CLUSTERS = 20;
/** Deviations, where a cluster's middle has one of 1. */
const WITHIN = 1.5;
const NOISE = 0.1;

/** Draws unit vectors in clusters, as embeddings of text lie; the same ones for the same seed. */
export function drawVectors(seed: string): () => Float32Array {
  const random = createRandom(seed);
  const normals = (count: number): Float32Array =>
    Float32Array.from({ length: count }, () => random.normal());
  const axes = Array.from({ length: LATENT }, () => normals(DIMENSIONS));
  const middles = Array.from({ length: CLUSTERS }, () => normals(LATENT));
  return () => {
    const latent = random.pick(middles).map((value) => value + WITHIN * random.normal());
    // Each axis adds as much as a number of it: noise is scaled alike.
    const vector = normals(DIMENSIONS).map((value) => value * NOISE * Math.sqrt(LATENT));
    for (const [i, axis] of axes.entries()) {
      const by = latent[i] ?? 0;
      for (let d = 0; d < DIMENSIONS; d += 1) vector[d] = (vector[d] ?? 0) + by * (axis[d] ?? 0);
    }
    const length = Math.hypot(...vector);
    return vector.map((value) => value / length);
  };
}

/** The positions of the `k` vectors that are nearest to the query, of those that match. */
export function nearest(
  vectors: readonly Float32Array[],
  query: Float32Array,
  k: number,
  matches: (position: number) => boolean,
): readonly number[] {
  const similarities = vectors.flatMap((vector, position) => {
    if (!matches(position)) return [];
    let similarity = 0;
    for (let d = 0; d < DIMENSIONS; d += 1) similarity += (vector[d] ?? 0) * (query[d] ?? 0);
    return { position, similarity };
  });
  return similarities
    .toSorted((a, b) => b.similarity - a.similarity)
    .slice(0, k)
    .map(({ position }) => position);
}
