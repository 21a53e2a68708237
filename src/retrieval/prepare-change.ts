import { digest } from "../digest.ts";
import type { FieldError } from "../errors.ts";
import { splitText } from "./chunk.ts";
import type { CollectionPlan } from "./collection-plan.ts";
import type { ChunkWrite } from "./document-index.ts";
import type { VectorSpace } from "./embedder.ts";
import type { ReadDocument } from "./read-document.ts";
import { storedBody } from "./read-stored.ts";

/** What is to become of a document; with `onlyVersion` a newer one is left alone. */
export type DocumentChange = { readonly id: string; readonly onlyVersion?: number } & (
  | {
      readonly kind: "put";
      readonly document: ReadDocument;
      /** What is kept in place of the document: it was stored so, and fits in part. */
      readonly stored?: string;
    }
  | { readonly kind: "delete" }
);

export interface Prepared {
  readonly change: DocumentChange;
  readonly body: string;
  readonly contentHash: string;
  readonly chunks: readonly { readonly hash: string; readonly text: string }[];
  /** What was analysed and embedded, by hash, until it is written: a lost round costs it once. */
  readonly contents: Map<string, NonNullable<ChunkWrite["content"]>>;
  /** Why it is not to be written, or null. */
  readonly refusal: FieldError | null;
}

/**
 * A document is one commit: HNSW takes up to 20 ms for a vector, a request to the database up to 20
 * s, and its text has to fit into a Worker's memory.
 */
const MAX_CHUNKS = 500;
const MAX_VECTOR_VALUES = 1_500_000;

/** Pure. How many chunks a document may have, by the length of their vectors. */
export const maxChunks = (dimensions: number): number =>
  Math.min(MAX_CHUNKS, Math.floor(MAX_VECTOR_VALUES / dimensions));

/**
 * Splits and hashes; a text that occurs twice in its document gets two hashes. A document with too
 * many chunks is refused; of one that is stored already, the first ones are indexed.
 */
export async function prepareChange(
  collection: CollectionPlan,
  space: VectorSpace,
  change: DocumentChange,
): Promise<Prepared> {
  const rest = { change, contents: new Map<string, never>(), refusal: null };
  if (change.kind === "delete") return { ...rest, body: "", contentHash: "", chunks: [] };
  const { title, text, vector } = change.document;
  const most = maxChunks(space.dimensions);
  const found = text === "" ? [] : splitText(text, collection.chunk);
  if (found.length > most && change.stored === undefined) {
    const [path = ""] = collection.textFields;
    const detail =
      `the text makes ${found.length} chunks, and a document has at most ${most}: ` +
      "make several documents of it";
    const refusal = { path, code: "too_many_chunks", detail };
    return { ...rest, body: "", contentHash: "", chunks: [], refusal };
  }
  const occurrences = new Map<string, number>();
  const chunks = await Promise.all(
    found.slice(0, most).map(async (piece) => {
      const occurrence = occurrences.get(piece) ?? 0;
      occurrences.set(piece, occurrence + 1);
      const hash = await digest(JSON.stringify([title, piece, vector, occurrence]));
      return { hash, text: piece };
    }),
  );
  const body = change.stored ?? storedBody(change.document, space);
  return { ...rest, body, contentHash: await digest(body), chunks };
}
