import { hash32 } from "../../local/demo/random.ts";
import type { DocumentIndex, DocumentWrite, IndexRef } from "../../src/retrieval/document-index.ts";

const AT_ONCE = 200;
/** What a document's field `r` is below; a filter on it matches that share of the documents. */
export const PER_MILLE = 1_000;

/** Position → the field `r`, without regard to the vectors. */
export const fieldOf = (position: number): number => hash32(`r${position}`) % PER_MILLE;

/** Puts a document of one chunk for each vector; its id is the vector's position. */
export async function fill(
  documents: DocumentIndex,
  index: IndexRef,
  vectors: readonly Float32Array[],
): Promise<void> {
  for (let i = 0; i < vectors.length; i += AT_ONCE) {
    const writes = vectors.slice(i, i + AT_ONCE).map((vector, j): DocumentWrite => {
      const id = String(i + j);
      const text = `the text of ${id}`;
      const content = { text, terms: [], length: 0, vector: Array.from(vector) };
      return {
        kind: "put",
        id,
        expected: 0,
        body: JSON.stringify({ text }),
        contentHash: id,
        fields: { r: fieldOf(i + j) },
        expiresAt: null,
        chunks: [{ hash: id, content }],
      };
    });
    await documents.commit(index, writes, Date.now());
  }
}
