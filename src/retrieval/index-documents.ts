import { AppError, type FieldError } from "../errors.ts";
import { analyse, termsOf } from "./analyse.ts";
import { indexIdOf, type CollectionPlan } from "./collection-plan.ts";
import type { DocumentHead, DocumentIndex, DocumentWrite, IndexRef } from "./document-index.ts";
import type { Embedding, VectorSpace } from "./embedder.ts";
import { prepareChange, type DocumentChange, type Prepared } from "./prepare-change.ts";

export interface IndexContext {
  readonly documents: DocumentIndex;
  readonly vectorSpaceOf: (plan: CollectionPlan) => VectorSpace;
  readonly now: () => number;
}

export type DocumentOutcome =
  | {
      readonly kind: "put";
      readonly id: string;
      readonly version: number;
      readonly chunks: number;
      /** Chunks that were analysed and embedded; the others were there already. */
      readonly indexed: number;
    }
  | { readonly kind: "deleted"; readonly id: string; readonly existed: boolean }
  | { readonly kind: "left"; readonly id: string }
  | { readonly kind: "rejected"; readonly id: string; readonly error: FieldError };

/** Pure. The index of a tenant's collection, as this deployment builds it. */
export function indexRefOf(tenant: string, plan: CollectionPlan, space: VectorSpace): IndexRef {
  const { dimensions } = space;
  return { tenant, collection: plan.name, indexId: indexIdOf(plan, space), dimensions };
}

const ATTEMPTS = 5;
/** Chunks written in one commit, unless a single document has more: HNSW takes ms for each. */
const CHUNKS_PER_COMMIT = 100;

/**
 * Puts and deletes documents: each change is a commit of text, vectors and terms together, visible
 * to searches when this returns. Chunks whose text did not change keep their vectors. Ids are
 * distinct. Throws AppError `conflict` where others kept changing a document,
 * `dependency_unavailable` or `timeout`; changes before the failing one may have been made, and
 * making them again is harmless.
 */
export async function changeDocuments(
  ctx: IndexContext,
  { tenant, collection }: { readonly tenant: string; readonly collection: CollectionPlan },
  changes: readonly DocumentChange[],
): Promise<readonly DocumentOutcome[]> {
  const space = ctx.vectorSpaceOf(collection);
  const index = indexRefOf(tenant, collection, space);
  const outcomes = new Map<string, DocumentOutcome>();
  let waiting = await Promise.all(
    changes.map((change) => prepareChange(collection, space, change)),
  );
  for (const { change, refusal } of waiting) {
    const { id } = change;
    if (refusal !== null) outcomes.set(id, { kind: "rejected", id, error: refusal });
  }
  waiting = waiting.filter(({ change }) => !outcomes.has(change.id));
  for (let attempt = 0; waiting.length > 0; attempt += 1) {
    if (attempt === ATTEMPTS) {
      const ids = waiting.map(({ change }) => `"${change.id}"`).join(", ");
      throw new AppError("conflict", `others keep changing ${ids}: try again`, {
        retryAfterSeconds: 1,
      });
    }
    for (const group of groupsOf(waiting)) {
      await changeGroup({ ...ctx, index, space, collection }, group, outcomes);
    }
    waiting = waiting.filter(({ change }) => !outcomes.has(change.id));
  }
  return changes.flatMap(({ id }) => outcomes.get(id) ?? []);
}

function groupsOf(waiting: readonly Prepared[]): readonly (readonly Prepared[])[] {
  const groups: Prepared[][] = [];
  let size = Number.POSITIVE_INFINITY;
  for (const one of waiting) {
    size += one.chunks.length;
    if (size > CHUNKS_PER_COMMIT) {
      groups.push([]);
      size = one.chunks.length;
    }
    groups.at(-1)?.push(one);
  }
  return groups;
}

interface Indexing extends IndexContext {
  readonly index: IndexRef;
  readonly space: VectorSpace;
  readonly collection: CollectionPlan;
}

async function changeGroup(
  ctx: Indexing,
  group: readonly Prepared[],
  outcomes: Map<string, DocumentOutcome>,
): Promise<void> {
  const heads = await ctx.documents.readHeads(
    ctx.index,
    group.map(({ change }) => change.id),
  );
  const open = group.filter((one) => {
    const done = isDone(ctx.index, one, heads.get(one.change.id));
    if (done !== null) outcomes.set(one.change.id, done);
    return done === null;
  });
  if (open.length === 0) return;
  const writes = await writesOf(ctx, open, heads);
  const versions = await ctx.documents.commit(ctx.index, writes, ctx.now());
  for (const [i, { change, chunks, contents }] of open.entries()) {
    const version = versions[i] ?? null;
    if (version === null) continue;
    contents.clear();
    const { id } = change;
    const write = writes[i];
    const indexed =
      write?.kind === "put" ? write.chunks.filter(({ content }) => content !== null).length : 0;
    outcomes.set(
      id,
      change.kind === "put"
        ? { kind: "put", id, version, chunks: chunks.length, indexed }
        : { kind: "deleted", id, existed: true },
    );
  }
}

/** What came of a change that needs no commit: the document is as it should be. */
function isDone(
  index: IndexRef,
  { change, contentHash }: Prepared,
  head: DocumentHead | undefined,
): DocumentOutcome | null {
  const { id, onlyVersion = head?.version } = change;
  if (onlyVersion !== head?.version) return { kind: "left", id };
  if (change.kind === "delete") {
    return head === undefined ? { kind: "deleted", id, existed: false } : null;
  }
  if (head?.contentHash !== contentHash || head.indexId !== index.indexId) return null;
  return { kind: "put", id, version: head.version, chunks: head.chunks.length, indexed: 0 };
}

async function writesOf(
  ctx: Indexing,
  group: readonly Prepared[],
  heads: ReadonlyMap<string, DocumentHead>,
): Promise<readonly DocumentWrite[]> {
  const keptOf = ({ change }: Prepared): ReadonlySet<string> =>
    new Set(heads.get(change.id)?.chunks);
  const fresh = group.flatMap((one) => {
    const kept = keptOf(one);
    const missing = one.chunks.filter(({ hash }) => !kept.has(hash) && !one.contents.has(hash));
    return missing.map((chunk) => ({ ...one, chunk }));
  });
  const texts = fresh.map(({ change, chunk }) => searchedText(change, chunk.text));
  const vectors = await vectorsOf(ctx.space, fresh, texts);
  for (const [i, { contents, chunk }] of fresh.entries()) {
    const { terms, length } = termsOf(analyse(texts[i] ?? "", ctx.collection.language));
    contents.set(chunk.hash, { text: chunk.text, terms, length, vector: vectors[i] ?? null });
  }
  return group.map((one): DocumentWrite => {
    const { change, body, contentHash, contents } = one;
    const { id } = change;
    const expected = heads.get(id)?.version ?? 0;
    if (change.kind === "delete") return { kind: "delete", id, expected };
    const { fields, expiresAt } = change.document;
    const kept = keptOf(one);
    const chunks = one.chunks.map(({ hash }) => ({
      hash,
      content: kept.has(hash) ? null : (contents.get(hash) ?? null),
    }));
    return { kind: "put", id, expected, body, contentHash, fields, expiresAt, chunks };
  });
}

/** Every chunk is found by its document's title too. */
function searchedText(change: DocumentChange, text: string): string {
  const title = change.kind === "put" ? change.document.title : null;
  return title === null || title === text ? text : `${title}\n${text}`;
}

/** Given vectors where there are any, else the embedder's, in one call for all of the group. */
async function vectorsOf(
  { embedder }: VectorSpace,
  fresh: readonly { readonly change: DocumentChange }[],
  texts: readonly string[],
): Promise<readonly Embedding[]> {
  const given = fresh.map(({ change }) => (change.kind === "put" ? change.document.vector : null));
  const missing = texts.filter((_, i) => given[i] === null);
  const embedded =
    embedder === null || missing.length === 0 ? [] : await embedder.embed(missing, "document");
  let next = 0;
  return given.map((vector) => vector ?? (embedder === null ? null : (embedded[next++] ?? null)));
}
