import { RejectedByStore } from "../../../src/features/event-log.ts";
import { scoreBm25 } from "../../../src/retrieval/bm25.ts";
import type {
  DocumentIndex,
  DocumentWrite,
  IndexHit,
  IndexQuery,
  IndexRef,
} from "../../../src/retrieval/document-index.ts";
import type { FieldValue } from "../../../src/retrieval/filter.ts";
import { fuse } from "../../../src/retrieval/fuse.ts";
import type { IndexRegistry } from "../../../src/retrieval/index-registry.ts";
import { matchesFilter } from "../../../src/retrieval/match-filter.ts";
import { checkDistinct, compareBytes } from "./memory-truth.ts";

interface DocumentRecord {
  readonly tenant: string;
  readonly collection: string;
  readonly id: string;
  readonly version: number;
  readonly indexId: string;
  readonly contentHash: string;
  readonly body: string;
  readonly chunks: number;
  readonly expiresAt: number | null;
  readonly updatedAt: number;
}

interface ChunkRecord {
  readonly id: string;
  readonly position: number;
  readonly hash: string;
  readonly text: string;
  readonly counts: ReadonlyMap<string, number>;
  readonly length: number;
  readonly vector: readonly number[] | null;
  readonly fields: Readonly<Record<string, FieldValue>>;
  readonly expiresAt: number | null;
}

interface IndexRecord {
  readonly indexId: string;
  readonly collection: string;
  complete: boolean;
  retired: boolean;
}

/** Chunks of one tenant's part of one index. */
interface Space {
  readonly tenant: string;
  readonly indexId: string;
  chunks: readonly ChunkRecord[];
}

type Scored = ChunkRecord & { readonly bm25: number | null; readonly vectorScore: number | null };

/** Documents, their index and its registry, over one truth, by the plainest computation. */
export function createMemoryDocuments(): {
  readonly documentIndex: DocumentIndex;
  readonly indexRegistry: IndexRegistry;
  readonly countDocuments: (collection: string) => number;
} {
  const documents = new Map<string, DocumentRecord>();
  const spaces = new Map<string, Space>();
  const indexes = new Map<string, IndexRecord>();
  let lastVersion = 0;

  const keyOf = (...parts: readonly string[]): string => parts.join("\0");
  const documentOf = ({ tenant, collection }: IndexRef, id: string): DocumentRecord | undefined =>
    documents.get(keyOf(tenant, collection, id));

  function spaceOf({ tenant, indexId }: Pick<IndexRef, "tenant" | "indexId">): Space {
    const space = spaces.get(keyOf(tenant, indexId)) ?? { tenant, indexId, chunks: [] };
    spaces.set(keyOf(tenant, indexId), space);
    return space;
  }

  const chunksOf = (index: IndexRef, id: string): readonly ChunkRecord[] =>
    spaceOf(index)
      .chunks.filter((chunk) => chunk.id === id)
      .toSorted((a, b) => a.position - b.position);

  const outside = ({ indexId, collection }: Pick<IndexRecord, "indexId" | "collection">) =>
    [...documents.values()]
      .filter((document) => document.collection === collection && document.indexId !== indexId)
      .toSorted((a, b) => a.version - b.version);

  const collectionOf = (indexId: string): string => indexId.slice(0, indexId.indexOf("@"));

  function write(index: IndexRef, change: DocumentWrite, now: number): number | null {
    const { tenant, collection, indexId } = index;
    const { id, expected } = change;
    const before = documentOf(index, id);
    if ((before?.version ?? 0) !== expected) return null;
    const held = new Map(chunksOf(index, id).map((chunk) => [chunk.hash, chunk]));
    const wanted = change.kind === "put" ? change.chunks : [];
    if (wanted.some(({ hash, content }) => content === null && !held.has(hash))) return null;
    const changed = change.kind === "delete" || before?.contentHash !== change.contentHash;
    for (const space of spaces.values()) {
      if (space.tenant !== tenant || collectionOf(space.indexId) !== collection) continue;
      if (space.indexId !== indexId && !changed) continue;
      space.chunks = space.chunks.filter((chunk) => chunk.id !== id);
    }
    if (change.kind === "delete") {
      documents.delete(keyOf(tenant, collection, id));
      return expected;
    }
    const { fields, expiresAt, body, contentHash } = change;
    const chunks = wanted.flatMap(({ hash, content }, position): ChunkRecord[] => {
      const kept = held.get(hash);
      const common = { id, position, hash, fields, expiresAt };
      if (content === null) return kept === undefined ? [] : [{ ...kept, ...common }];
      const counts = new Map(content.terms.map(({ term, count }) => [term, count]));
      return [{ ...content, ...common, counts }];
    });
    const space = spaceOf(index);
    space.chunks = [...space.chunks, ...chunks];
    lastVersion += 1;
    const document = { tenant, collection, id, version: lastVersion, indexId, contentHash, body };
    documents.set(keyOf(tenant, collection, id), {
      ...document,
      chunks: chunks.length,
      expiresAt,
      updatedAt: now,
    });
    return lastVersion;
  }

  const documentIndex: DocumentIndex = {
    async readHeads(index, ids) {
      return new Map(
        ids.flatMap((id) => {
          const document = documentOf(index, id);
          if (document === undefined) return [];
          const { version, indexId, contentHash } = document;
          const chunks = chunksOf(index, id).map(({ hash }) => hash);
          return [[id, { version, indexId, contentHash, chunks }] as const];
        }),
      );
    },

    async commit(index, writes, now) {
      checkWrites(index, writes);
      return writes.map((one) => write(index, one, now));
    },

    async read(index, id, now) {
      const document = documentOf(index, id);
      if (document === undefined || isExpired(document, now)) return null;
      const { version, body, chunks, expiresAt, updatedAt } = document;
      return { id, version, body, chunks, expiresAt, updatedAt };
    },

    async search(index, query) {
      const registered = indexes.get(index.indexId);
      const complete = registered?.complete === true && !registered.retired;
      return { complete, hits: searchChunks(spaceOf(index).chunks, query).map(hitOf) };

      function hitOf(found: Scored & { readonly score: number }): IndexHit {
        const { id, position, score, bm25, vectorScore, text, fields } = found;
        const body = JSON.parse(documentOf(index, id)?.body ?? "{}") as Record<string, unknown>;
        const title = query.titleField === null ? null : body[query.titleField];
        return {
          id,
          chunk: position,
          score,
          bm25,
          vector: vectorScore,
          text,
          title: typeof title === "string" ? title : null,
          fields,
        };
      }
    },

    async findStale(collection, indexId, limit) {
      return outside({ indexId, collection }).slice(0, limit).map(refOf);
    },

    async findExpired(collection, now, limit) {
      return [...documents.values()]
        .filter((document) => document.collection === collection && isExpired(document, now))
        .toSorted((a, b) => (a.expiresAt ?? 0) - (b.expiresAt ?? 0))
        .slice(0, limit)
        .map(refOf)
        .map(({ body: _body, ...ref }) => ref);
    },
  };

  const isActive = (indexId: string): boolean => indexes.get(indexId)?.retired === false;

  const isReplaced = (indexId: string): boolean =>
    [...indexes.values()].some(
      (other) => other.collection === collectionOf(indexId) && !other.retired && other.complete,
    ) && ![...documents.values()].some((document) => document.indexId === indexId);

  const list: IndexRegistry["list"] = async () =>
    [...indexes.values()]
      .filter(({ retired }) => !retired)
      .toSorted((a, b) => compareBytes(a.indexId, b.indexId))
      .map(({ indexId, collection, complete }) => {
        const waiting = outside({ indexId, collection }).length;
        return { indexId, collection, complete, waiting };
      });

  const indexRegistry: IndexRegistry = {
    list,

    async register(wanted) {
      const ids = new Set(wanted.map(({ indexId }) => indexId));
      for (const index of indexes.values()) {
        if (!ids.has(index.indexId)) index.retired = true;
      }
      for (const { indexId, collection } of wanted) {
        if (indexes.get(indexId)?.retired === false) continue;
        const complete = outside({ indexId, collection }).length === 0;
        indexes.set(indexId, { indexId, collection, complete, retired: false });
      }
      return list();
    },

    async completeIfBuilt(indexId) {
      const index = indexes.get(indexId);
      if (index === undefined || index.retired || outside(index).length > 0) return false;
      index.complete = true;
      return true;
    },

    async purgeRetired(limit) {
      let removed = 0;
      for (const [key, space] of spaces) {
        if (isActive(space.indexId) || !isReplaced(space.indexId)) continue;
        const gone = Math.min(limit - removed, space.chunks.length);
        space.chunks = space.chunks.slice(gone);
        removed += gone;
        if (space.chunks.length === 0) spaces.delete(key);
      }
      return removed;
    },
  };
  const countDocuments = (collection: string): number =>
    [...documents.values()].filter((one) => one.collection === collection).length;

  return { documentIndex, indexRegistry, countDocuments };
}

const refOf = ({ tenant, collection, id, version, body }: DocumentRecord) => ({
  tenant,
  collection,
  id,
  version,
  body,
});

const isExpired = ({ expiresAt }: { readonly expiresAt: number | null }, now: number): boolean =>
  expiresAt !== null && expiresAt <= now;

function searchChunks(
  chunks: readonly ChunkRecord[],
  query: IndexQuery,
): readonly (Scored & { readonly score: number })[] {
  const { keyword, vector, filter, depth, now, fusion, k } = query;
  const texts = chunks.filter(({ length }) => length > 0);
  const frequencies = new Map<string, number>();
  for (const term of texts.flatMap(({ counts }) => [...counts.keys()])) {
    frequencies.set(term, (frequencies.get(term) ?? 0) + 1);
  }
  const tokens = texts.reduce((sum, { length }) => sum + length, 0);
  const statistics = { documents: texts.length, tokens, frequencies };
  const found = chunks
    .filter((chunk) => !isExpired(chunk, now))
    .filter(({ fields }) => filter === null || matchesFilter(filter, fields))
    .toSorted((a, b) => compareBytes(a.id, b.id) || a.position - b.position);
  const best = (scoreOf: (chunk: ChunkRecord) => number | null): Map<ChunkRecord, number> =>
    new Map(
      found
        .flatMap((chunk): (readonly [ChunkRecord, number])[] => {
          const score = scoreOf(chunk);
          return score === null ? [] : [[chunk, score]];
        })
        .toSorted(([, a], [, b]) => b - a)
        .slice(0, depth),
    );
  const byKeyword = best((chunk) => {
    if (keyword === null || !keyword.terms.some(({ term }) => chunk.counts.has(term))) return null;
    return scoreBm25(keyword.terms, chunk, statistics, keyword);
  });
  const byVector = best((chunk) =>
    vector === null || chunk.vector === null ? null : cosine(vector, chunk.vector),
  );
  const candidates = found
    .filter((chunk) => byKeyword.has(chunk) || byVector.has(chunk))
    .map((chunk) => ({
      chunk,
      bm25: byKeyword.get(chunk) ?? null,
      vector: byVector.get(chunk) ?? null,
    }));
  return fuse(candidates, fusion)
    .slice(0, k)
    .map(({ chunk, score, bm25, vector: vectorScore }) => ({
      ...chunk,
      score,
      bm25,
      vectorScore,
    }));
}

/** Null where one of them has no direction. */
function cosine(a: readonly number[], b: readonly number[]): number | null {
  const dot = (x: readonly number[], y: readonly number[]): number =>
    x.reduce((sum, value, i) => sum + value * (y[i] ?? 0), 0);
  const score = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  return Number.isNaN(score) ? null : score;
}

/** Refuses what Postgres refuses, before anything is changed. */
function checkWrites({ dimensions }: IndexRef, writes: readonly DocumentWrite[]): void {
  checkDistinct(writes.map(({ id }) => id));
  for (const write of writes) {
    checkText(write.id);
    if (write.kind === "delete") continue;
    checkDistinct(write.chunks.map(({ hash }) => hash));
    checkText(write.body);
    checkText(write.fields);
    checkText(parsed(write.body));
    for (const { content } of write.chunks) {
      checkText(content?.text ?? "");
      content?.terms.forEach(({ term }) => checkText(term));
      if (content !== null && content.vector !== null && content.vector.length !== dimensions) {
        throw new RejectedByStore("The database refused the data.");
      }
    }
  }
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw new RejectedByStore("The database refused the data.", { cause });
  }
}

/** Of a text, or of all texts in a value. */
function checkText(value: unknown): void {
  if (typeof value === "object" && value !== null) Object.entries(value).flat().forEach(checkText);
  if (typeof value !== "string" || (value.isWellFormed() && !value.includes("\0"))) return;
  throw new RejectedByStore("A text holds what a database cannot keep.");
}
