import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { AppError } from "../errors.ts";
import type { CollectionPlan } from "../retrieval/collection-plan.ts";
import { parseFilter } from "../retrieval/parse-filter.ts";
import { readText } from "../retrieval/read-value.ts";
import { readVector } from "../retrieval/read-vector.ts";
import { search, type SearchHit, type SearchInput } from "../retrieval/search.ts";
import type { AppEnv } from "./app-env.ts";
import { getCollection, unprocessable } from "./collection.ts";
import { guarded } from "./middleware/guard.ts";
import { searchBody } from "./middleware/query-body.ts";
import { problems, QUERY_PROBLEMS } from "./schemas.ts";
import { searchAnswer, searchRequest } from "./search-schemas.ts";

const searchRoute = createRoute({
  ...guarded("search", "later", searchBody),
  method: "post",
  path: "/collections/{collection}/search",
  operationId: "search",
  tags: ["Search"],
  summary: "The parts of documents that fit a query best",
  description:
    "By words (BM25), by vectors, or by both. One request to the database, and one call of the " +
    "embedder where the query has to be embedded. Scores of different queries do not compare.",
  request: {
    params: z.object({ collection: z.string().openapi({ example: "helpdesk" }) }),
    body: { required: true, content: { "application/json": { schema: searchRequest } } },
  },
  responses: {
    200: { description: "Best first", content: { "application/json": { schema: searchAnswer } } },
    ...problems(...QUERY_PROBLEMS),
  },
});

/** Searching a collection. */
export const searchRoutes = new OpenAPIHono<AppEnv>().openapi(searchRoute, async (c) => {
  const ctx = c.get("ctx");
  const { collection: name } = c.req.valid("param");
  const { tenant } = c.get("permit")(`collection:${name}`);
  const plan = getCollection(ctx, name);
  const input = { tenant, ...readSearch(plan, c.req.valid("json")) };
  const { hits, degraded } = await search(ctx, input);
  const printed = hits.map((hit) => printHit(plan, hit, input.highlight));
  return c.json({ hits: printed, facets: {}, degraded, cursor: null }, 200);
});

/** Pure. What is asked for; throws AppError `unprocessable`. */
function readSearch(
  plan: CollectionPlan,
  asked: z.output<typeof searchRequest>,
): Omit<SearchInput, "tenant"> {
  const { k, bm25, fusion } = asked;
  const query = readQuery(asked.query);
  const { mode = query === null && asked.vector !== undefined ? "vector" : "hybrid" } = asked;
  if (query === null && (mode !== "vector" || asked.vector === undefined)) {
    const detail = 'give a "query"; a "vector" alone is enough for "mode": "vector"';
    throw refusedQuery("missing_query", detail);
  }
  const filter = parseFilter(asked.filter, plan.fields);
  if (!filter.ok) throw unprocessable("the filter is wrong", filter.error);
  const vector =
    asked.vector === undefined ? null : readVector(asked.vector, plan.embedder.dimensions);
  if (vector !== null && !vector.ok) throw unprocessable("the vector is wrong", vector.error);
  return {
    collection: plan,
    query,
    vector: vector === null ? null : vector.value,
    mode,
    k,
    filter: filter.value,
    bm25,
    fusion,
    highlight: asked.highlight,
  };
}

/** Null where there is nothing to search by. */
function readQuery(text: string | undefined): string | null {
  const read = readText(text ?? "");
  if (!read.ok) throw refusedQuery(read.error.code, `the query ${read.error.detail}`);
  return read.value.trim() === "" ? null : read.value;
}

const refusedQuery = (code: string, detail: string): AppError =>
  new AppError("unprocessable", detail, { errors: [{ path: "query", code, detail }] });

function printHit({ titleField }: CollectionPlan, hit: SearchHit, highlighted: boolean) {
  const { id, chunk, score, bm25, vector, text, title, highlights, fields } = hit;
  return {
    id,
    chunk,
    score,
    scores: { bm25, vector },
    text,
    ...(highlighted && { highlights }),
    fields: { ...(titleField !== null && title !== null && { [titleField]: title }), ...fields },
  };
}
