import type { CollectionPlan } from "./collection-plan.ts";
import type { VectorSpace } from "./embedder.ts";
import { readDocument, type ReadDocument } from "./read-document.ts";

/** A stored document: its members, and a given vector with the space in which it lies. */
type Stored = Readonly<Record<string, unknown>> & {
  readonly vector?: { readonly space: string; readonly of: readonly number[] };
};

/** Pure. What is kept of a document, as JSON: enough to build any other index from. */
export function storedBody(
  { body, vector }: Pick<ReadDocument, "body" | "vector">,
  { identity: space }: Pick<VectorSpace, "identity">,
): string {
  const stored: Stored["vector"] = vector === null ? undefined : { space, of: vector };
  return stored === undefined ? body : `${body.slice(0, -1)},"vector":${JSON.stringify(stored)}}`;
}

/** Pure. The members of a stored document, without its vector. */
export function storedMembers(stored: string): Readonly<Record<string, unknown>> {
  const { vector: _, ...members } = JSON.parse(stored) as Stored;
  return members;
}

/**
 * Pure. A stored document as its collection is defined now. What does not fit any more is dropped
 * and named; where nothing is left to search, the document has no text. A vector that was given for
 * another space is not used.
 */
export function readStored(
  plan: CollectionPlan,
  { identity }: Pick<VectorSpace, "identity">,
  stored: string,
): { readonly document: ReadDocument; readonly dropped: readonly string[] } {
  const { vector, ...members } = JSON.parse(stored) as Stored;
  const fits = vector?.space === identity && plan.chunk === "none";
  // Read as of a collection that can do without vectors.
  const { dimensions } = plan.embedder;
  const lenient: CollectionPlan = { ...plan, embedder: { kind: "lexical_hashing", dimensions } };
  const read = readDocument(lenient, members);
  const errors = read.ok ? [] : read.error;
  const wrong = [...new Set(errors.map(({ path }) => /^[^.[]*/.exec(path)?.[0] ?? path))];
  const fitting = read.ok ? read : readDocument(lenient, without(members, wrong));
  const nothing = { title: null, text: "", body: "{}", fields: {}, expiresAt: null, vector: null };
  const document = { ...(fitting.ok ? fitting.value : nothing), vector: fits ? vector.of : null };
  const lost = vector !== undefined && !fits && plan.embedder.kind === "client" ? ["vector"] : [];
  return { document, dropped: [...wrong, ...lost] };
}

const without = (record: Readonly<Record<string, unknown>>, names: readonly string[]) =>
  Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name)));
