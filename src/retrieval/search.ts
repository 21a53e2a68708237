import { AppError } from "../errors.ts";
import { analyse, termsOf, type Term } from "./analyse.ts";
import type { CollectionPlan } from "./collection-plan.ts";
import type { IndexHit } from "./document-index.ts";
import type { VectorSpace } from "./embedder.ts";
import type { Filter } from "./filter.ts";
import type { Fusion } from "./fuse.ts";
import { highlight, type Span } from "./highlight.ts";
import { indexRefOf, type IndexContext } from "./index-documents.ts";

export type SearchMode = "hybrid" | "keyword" | "vector";

export interface SearchInput {
  readonly tenant: string;
  readonly collection: CollectionPlan;
  readonly query: string | null;
  /** Of unit length; takes the embedder's place. */
  readonly vector: readonly number[] | null;
  readonly mode: SearchMode;
  /** Hits wanted, at most MAX_HITS. */
  readonly k: number;
  readonly filter: Filter | null;
  readonly bm25: { readonly k1: number; readonly b: number };
  readonly fusion: Fusion;
  readonly highlight: boolean;
}

export interface SearchHit extends IndexHit {
  /** Where the query's words are in `text`, in UTF-16 units; empty where not asked for. */
  readonly highlights: readonly Span[];
}

export interface SearchAnswer {
  readonly hits: readonly SearchHit[];
  /** What is not as it should be; empty when all is well. */
  readonly degraded: readonly string[];
}

export const MAX_HITS = 200;
/** Candidates of each ranking that are fused; more change the first ten hits hardly ever. */
const DEPTH = 100;

const NOT_APPLIED = (name: string): string =>
  `the index of "${name}" is not applied, or still being built: run \`npm run apply\``;

/**
 * The best chunks for a query: one call of the embedder, unless the mode or a given vector spares
 * it, and one request to the index. A hybrid search whose embedder fails is a keyword search and
 * says so. Throws AppError `unprocessable`, `dependency_unavailable` or `timeout`.
 */
export async function search(ctx: IndexContext, input: SearchInput): Promise<SearchAnswer> {
  const { collection, mode, k, fusion, filter } = input;
  const space = ctx.vectorSpaceOf(collection);
  const terms = mode === "vector" ? [] : queryTerms(input);
  const { vector, degraded } =
    mode === "keyword" ? { vector: null, degraded: [] } : await queryVector(input, space);
  const { complete, hits } = await ctx.documents.search(
    indexRefOf(input.tenant, collection, space),
    {
      keyword: mode === "vector" ? null : { terms, ...input.bm25 },
      vector,
      fusion,
      filter,
      k,
      depth: Math.max(DEPTH, k),
      now: ctx.now(),
      titleField: collection.titleField,
    },
  );
  if (!complete) throw new AppError("dependency_unavailable", NOT_APPLIED(collection.name));
  const words = new Set((mode === "vector" ? queryTerms(input) : terms).map(({ term }) => term));
  return {
    hits: hits.map((hit) => ({
      ...hit,
      highlights: input.highlight ? highlight(hit.text, words, collection.language) : [],
    })),
    degraded,
  };
}

const queryTerms = ({ query, collection }: SearchInput): readonly Term[] =>
  query === null ? [] : termsOf(analyse(query, collection.language)).terms;

async function queryVector(
  { query, vector, mode, collection }: SearchInput,
  { embedder }: VectorSpace,
): Promise<{ readonly vector: readonly number[] | null; readonly degraded: readonly string[] }> {
  if (vector !== null) return { vector, degraded: [] };
  if (embedder === null) {
    const detail =
      `the vectors of "${collection.name}" come from its clients: ` +
      `give the query's "vector", or "mode": "keyword"`;
    throw new AppError("unprocessable", detail, {
      errors: [{ path: "vector", code: "missing_vector", detail }],
    });
  }
  try {
    const [embedded = null] = await embedder.embed([query ?? ""], "query");
    return { vector: embedded, degraded: [] };
  } catch (error) {
    if (mode === "vector" || !(error instanceof AppError)) throw error;
    return { vector: null, degraded: ["embedder_unavailable"] };
  }
}
