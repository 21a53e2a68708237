import type {
  ChunkWrite,
  DocumentIndex,
  DocumentWrite,
  IndexQuery,
  IndexRef,
} from "../../src/retrieval/document-index.ts";
import type { FieldValue } from "../../src/retrieval/filter.ts";
import type { WantedIndex } from "../../src/retrieval/index-registry.ts";
import { newTenant } from "./log-events.ts";

export const DIMENSIONS = 4;

const hex = (digits: number): string => crypto.randomUUID().replaceAll("-", "").slice(0, digits);

/** An index of a collection that no other test uses. */
export function newIndex(fields: Partial<IndexRef> = {}): IndexRef {
  const collection = fields.collection ?? `c${hex(12)}`;
  const indexId = `${collection}@${hex(16)}`;
  return { tenant: newTenant(), collection, indexId, dimensions: DIMENSIONS, ...fields };
}

export const wantedOf = ({ indexId, collection, dimensions }: IndexRef): WantedIndex => ({
  indexId,
  collection,
  dimensions,
  spec: JSON.stringify({ collection }),
});

/** A chunk of a test: words, and where it points. */
export interface TestChunk {
  readonly text: string;
  readonly vector?: readonly number[] | null;
}

export interface TestDocument {
  readonly chunks: readonly (TestChunk | string)[];
  readonly fields?: Readonly<Record<string, FieldValue>>;
  readonly expiresAt?: number | null;
  readonly body?: string;
  readonly expected?: number;
  /** Hashes of chunks that are there already. */
  readonly held?: readonly string[];
}

/** Pure. The words of a text and how often each occurs. */
export function countWords(text: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const word of text.split(" ").filter(Boolean)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}

export const termsOfText = (text: string) =>
  [...countWords(text)].map(([term, count]) => ({ term, count }));

export const hashOf = ({ text, vector }: TestChunk): string => JSON.stringify([text, vector]);

/** Puts a document whose words are its terms. */
export function put(id: string, document: TestDocument): DocumentWrite & { readonly kind: "put" } {
  const { fields = {}, expiresAt = null, expected = 0, held = [] } = document;
  const given = document.chunks.map((chunk) =>
    typeof chunk === "string" ? { text: chunk, vector: null } : { vector: null, ...chunk },
  );
  const body = document.body ?? JSON.stringify({ title: id, chunks: given, ...fields });
  const chunks = given.map((chunk): ChunkWrite => {
    const hash = hashOf(chunk);
    if (held.includes(hash)) return { hash, content: null };
    const { text, vector } = chunk;
    const terms = termsOfText(text);
    const length = text.split(" ").filter(Boolean).length;
    return { hash, content: { text, terms, length, vector } };
  });
  const contentHash = JSON.stringify([body, fields, expiresAt]);
  return { kind: "put", id, expected, body, contentHash, fields, expiresAt, chunks };
}

export const remove = (id: string, expected: number): DocumentWrite => ({
  kind: "delete",
  id,
  expected,
});

/** Writes documents on top of what is there, keeping the chunks that are. */
export async function write(
  documents: DocumentIndex,
  index: IndexRef,
  changes: Readonly<Record<string, TestDocument | null>>,
  now = 1_000,
): Promise<readonly (number | null)[]> {
  const heads = await documents.readHeads(index, Object.keys(changes));
  const writes = Object.entries(changes).map(([id, change]) => {
    const head = heads.get(id);
    const expected = head?.version ?? 0;
    if (change === null) return remove(id, expected);
    return put(id, { expected, held: head?.chunks ?? [], ...change });
  });
  return documents.commit(index, writes, now);
}

/** A query of which a test names only what matters to it. */
export function query(fields: Partial<IndexQuery> & { readonly words?: string }): IndexQuery {
  const { words, ...rest } = fields;
  return {
    keyword: words === undefined ? null : { terms: termsOfText(words), k1: 0.9, b: 0.4 },
    vector: null,
    fusion: { method: "relative_score", alpha: 0.5 },
    filter: null,
    k: 10,
    depth: 100,
    now: 1_000,
    titleField: null,
    ...rest,
  };
}

/** What is found, as `id#chunk`, best first. */
export async function find(
  documents: DocumentIndex,
  index: IndexRef,
  fields: Parameters<typeof query>[0],
): Promise<readonly string[]> {
  const { hits } = await documents.search(index, query(fields));
  return hits.map(({ id, chunk }) => `${id}#${chunk}`);
}
