import type { Term } from "./analyse.ts";
import type { FieldValue, Filter } from "./filter.ts";
import type { Fusion } from "./fuse.ts";

/** One collection of one tenant, in one index. */
export interface IndexRef {
  readonly tenant: string;
  readonly collection: string;
  /** `collection@hash` */
  readonly indexId: string;
  readonly dimensions: number;
}

/** What is known of a document before it is written. */
export interface DocumentHead {
  /** Rises with every change; a number is never used again. */
  readonly version: number;
  /** The index that this version was written into. */
  readonly indexId: string;
  /** Hash of everything in it. */
  readonly contentHash: string;
  /** Hashes of its chunks in the index that was asked for, in their order. */
  readonly chunks: readonly string[];
}

/** A chunk as it is to be. Its hash tells it from all other chunks of its document. */
export interface ChunkWrite {
  readonly hash: string;
  /** Null: the index has a chunk with this hash, which stays as it is. */
  readonly content: {
    readonly text: string;
    readonly terms: readonly Term[];
    /** Number of tokens. */
    readonly length: number;
    readonly vector: readonly number[] | null;
  } | null;
}

/** Written only where the document's version is still `expected`; 0: there is no document. */
export type DocumentWrite =
  | {
      readonly kind: "put";
      readonly id: string;
      readonly expected: number;
      /** The document as JSON. */
      readonly body: string;
      readonly contentHash: string;
      /** Values of the filter fields; times in epoch ms. */
      readonly fields: Readonly<Record<string, FieldValue>>;
      readonly expiresAt: number | null;
      /** In the order of the text. */
      readonly chunks: readonly ChunkWrite[];
    }
  | { readonly kind: "delete"; readonly id: string; readonly expected: number };

export interface StoredDocument {
  readonly id: string;
  readonly version: number;
  readonly body: string;
  readonly chunks: number;
  readonly expiresAt: number | null;
  /** Epoch ms. */
  readonly updatedAt: number;
}

export interface IndexQuery {
  /** Null: no keyword search. */
  readonly keyword: {
    readonly terms: readonly Term[];
    readonly k1: number;
    readonly b: number;
  } | null;
  /** Null: no vector search. */
  readonly vector: readonly number[] | null;
  readonly fusion: Fusion;
  readonly filter: Filter | null;
  /** Hits wanted. */
  readonly k: number;
  /** Candidates of each kind that are fused, at least k. */
  readonly depth: number;
  /** Documents that expired by then are not found; epoch ms. */
  readonly now: number;
  /** The field of the document that is returned as `title`. */
  readonly titleField: string | null;
}

export interface IndexHit {
  readonly id: string;
  /** Position of the chunk in its document, from 0. */
  readonly chunk: number;
  /** Fused; of one kind of search alone it is that kind's score. */
  readonly score: number;
  /** Null: not among the candidates of that kind. */
  readonly bm25: number | null;
  /** Cosine similarity. */
  readonly vector: number | null;
  readonly text: string;
  readonly title: string | null;
  readonly fields: Readonly<Record<string, FieldValue>>;
}

export interface IndexAnswer {
  /** False: the index is not registered, or documents of its collection wait to be put into it. */
  readonly complete: boolean;
  /** Best first; equal scores by id and position. */
  readonly hits: readonly IndexHit[];
}

/** A document that is not in the index it should be in, or that expired. */
export interface DocumentRef {
  readonly tenant: string;
  readonly collection: string;
  readonly id: string;
  readonly version: number;
}

/** Port: documents, and the index in which they are found. Written and found in the same instant. */
export interface DocumentIndex {
  /** The documents of these ids that there are, expired ones too. */
  readHeads(index: IndexRef, ids: readonly string[]): Promise<ReadonlyMap<string, DocumentHead>>;
  /**
   * Writes documents with their chunks, vectors and terms in one commit: each all or not at all.
   * The new version of each (for a delete: the one that is gone), null where the expected version
   * was not there any more. Ids are distinct. Throws RejectedByStore.
   */
  commit(
    index: IndexRef,
    writes: readonly DocumentWrite[],
    now: number,
  ): Promise<readonly (number | null)[]>;
  /** Null where there is none, or it expired. */
  read(index: IndexRef, id: string, now: number): Promise<StoredDocument | null>;
  /** One round trip. */
  search(index: IndexRef, query: IndexQuery): Promise<IndexAnswer>;
  /** Documents of a collection that are in another index or in none, oldest version first. */
  findStale(
    collection: string,
    indexId: string,
    limit: number,
  ): Promise<readonly (DocumentRef & { readonly body: string })[]>;
  /** Documents of the collection that expired by then. */
  findExpired(collection: string, now: number, limit: number): Promise<readonly DocumentRef[]>;
}
