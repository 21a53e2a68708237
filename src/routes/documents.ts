import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { AppError, type FieldError } from "../errors.ts";
import type { CollectionPlan } from "../retrieval/collection-plan.ts";
import { changeDocuments, indexRefOf, type DocumentOutcome } from "../retrieval/index-documents.ts";
import type { DocumentChange } from "../retrieval/prepare-change.ts";
import { readDocument } from "../retrieval/read-document.ts";
import { storedMembers } from "../retrieval/read-stored.ts";
import type { AppEnv, Middleware } from "./app-env.ts";
import { getCollection, unprocessable } from "./collection.ts";
import {
  deleteAnswer,
  documentBodySchema,
  documentId,
  documentsAnswer,
  documentsRequest,
  idError,
  MAX_CHANGES,
  putAnswer,
  storedDocument,
} from "./document-schemas.ts";
import { guarded } from "./middleware/guard.ts";
import { documentBody } from "./middleware/query-body.ts";
import { problems } from "./schemas.ts";

const collection = z.string().openapi({ example: "helpdesk" });
const inCollection = z.object({ collection });
const one = z.object({ collection, id: documentId });
const json = <S extends z.ZodType>(description: string, schema: S) => ({
  description,
  content: { "application/json": { schema } },
});
/** Hono takes what it cannot decode as it is, for another document's id. */
const decodable: Middleware = async (c, next) => {
  try {
    decodeURIComponent(new URL(c.req.url).pathname);
  } catch (cause) {
    const detail = "the document's id is not percent-encoded UTF-8";
    throw new AppError("invalid_request", detail, { cause });
  }
  await next();
};

const writeProblems = problems(
  "invalid_request",
  "unauthorized",
  "forbidden",
  "not_found",
  "conflict",
  "payload_too_large",
  "unsupported_media_type",
  "unprocessable",
  "dependency_unavailable",
  "timeout",
);

const putRoute = createRoute({
  ...guarded("write_documents", "later", decodable, documentBody),
  method: "put",
  path: "/collections/{collection}/documents/{id}",
  operationId: "putDocument",
  tags: ["Documents"],
  summary: "Puts a document in place of whatever has its id",
  description:
    "Text, vectors and words are written in one commit: searches find all of it as soon as this " +
    "answers. Parts of the text that did not change are not embedded again. A document has at " +
    "most 1,048,576 characters and 500 chunks, fewer where a vector has over 3,000 dimensions.",
  request: {
    params: one,
    body: { required: true, content: { "application/json": { schema: documentBodySchema } } },
  },
  responses: { 200: json("It is written", putAnswer), ...writeProblems },
});

const getRoute = createRoute({
  ...guarded("read_documents", "later", decodable),
  method: "get",
  path: "/collections/{collection}/documents/{id}",
  operationId: "getDocument",
  tags: ["Documents"],
  summary: "A document as it was put",
  request: { params: one },
  responses: {
    200: json("The document", storedDocument),
    ...problems(
      "invalid_request",
      "unauthorized",
      "forbidden",
      "not_found",
      "dependency_unavailable",
      "timeout",
    ),
  },
});

const deleteRoute = createRoute({
  ...guarded("write_documents", "later", decodable),
  method: "delete",
  path: "/collections/{collection}/documents/{id}",
  operationId: "deleteDocument",
  tags: ["Documents"],
  summary: "Deletes a document; no search finds it from then on",
  request: { params: one },
  responses: {
    200: json("It is not there any more", deleteAnswer),
    ...problems(
      "invalid_request",
      "unauthorized",
      "forbidden",
      "not_found",
      "conflict",
      "dependency_unavailable",
      "timeout",
    ),
  },
});

const batchRoute = createRoute({
  ...guarded("write_documents", "later", documentBody),
  method: "post",
  path: "/collections/{collection}/documents",
  operationId: "changeDocuments",
  tags: ["Documents"],
  summary: `Puts and deletes up to ${MAX_CHANGES} documents`,
  description:
    "Each document is written whole or not at all; one that is wrong is rejected and does not " +
    "keep the others out. Up to 5 MB (10 MB after gzip). A request that failed may be sent again " +
    "as it is.",
  request: {
    params: inCollection,
    body: { required: true, content: { "application/json": { schema: documentsRequest } } },
  },
  responses: { 200: json("What became of each", documentsAnswer), ...writeProblems },
});

const MISFIT = "the document does not fit its collection";

/** Documents: put, get, delete. */
export const documentRoutes = new OpenAPIHono<AppEnv>()
  .openapi(putRoute, async (c) => {
    const { collection: name, id } = c.req.valid("param");
    const { tenant } = c.get("permit")(`collection:${name}`);
    const plan = getCollection(c.get("ctx"), name);
    const read = readDocument(plan, c.req.valid("json"));
    if (!read.ok) throw unprocessable(MISFIT, read.error);
    const put: DocumentChange = { kind: "put", id, document: read.value };
    const [outcome] = await changeDocuments(c.get("ctx"), { tenant, collection: plan }, [put]);
    if (outcome?.kind === "rejected") throw unprocessable(MISFIT, [outcome.error]);
    if (outcome?.kind !== "put") throw new AppError("internal", "the document was not written");
    return c.json({ id, chunks: outcome.chunks, version: outcome.version }, 200);
  })
  .openapi(getRoute, async (c) => {
    const ctx = c.get("ctx");
    const { collection: name, id } = c.req.valid("param");
    const { tenant } = c.get("permit")(`collection:${name}`);
    const plan = getCollection(ctx, name);
    const index = indexRefOf(tenant, plan, ctx.vectorSpaceOf(plan));
    const stored = await ctx.documents.read(index, id, ctx.now());
    if (stored === null) throw new AppError("not_found", `"${name}" has no document "${id}"`);
    const { version, chunks, body } = stored;
    return c.json({ id, version, chunks, ...storedMembers(body) }, 200);
  })
  .openapi(deleteRoute, async (c) => {
    const { collection: name, id } = c.req.valid("param");
    const { tenant } = c.get("permit")(`collection:${name}`);
    const plan = getCollection(c.get("ctx"), name);
    const gone: DocumentChange = { kind: "delete", id };
    const [outcome] = await changeDocuments(c.get("ctx"), { tenant, collection: plan }, [gone]);
    return c.json({ id, deleted: outcome?.kind === "deleted" && outcome.existed }, 200);
  })
  .openapi(batchRoute, async (c) => {
    const { collection: name } = c.req.valid("param");
    const { tenant } = c.get("permit")(`collection:${name}`);
    const plan = getCollection(c.get("ctx"), name);
    const items = readChanges(plan, c.req.valid("json"));
    const changes = items.flatMap(({ change }) => change ?? []);
    const where = { tenant, collection: plan };
    const outcomes = await changeDocuments(c.get("ctx"), where, changes);
    const byId = new Map(outcomes.map((outcome) => [outcome.id, outcome]));
    const results = items.map(({ id, errors }) => printResult(id, errors, byId.get(id)));
    return c.json({ results }, 200);
  });

interface Item {
  readonly id: string;
  readonly change: DocumentChange | null;
  readonly errors: readonly FieldError[];
}

/** Pure. Every change of a batch, or why not. Throws AppError `unprocessable`. */
function readChanges(
  plan: CollectionPlan,
  { upserts, deletes }: z.output<typeof documentsRequest>,
): readonly Item[] {
  checkDistinct(upserts, deletes);
  const puts = upserts.map(({ id, ...members }): Item => {
    const read = readDocument(plan, members);
    const errors = [...errorsOfId(id), ...(read.ok ? [] : read.error)];
    if (!read.ok || errors.length > 0) return { id, change: null, errors };
    return { id, change: { kind: "put", id, document: read.value }, errors };
  });
  const gone = deletes.map((id): Item => {
    const errors = errorsOfId(id);
    return { id, change: errors.length > 0 ? null : { kind: "delete", id }, errors };
  });
  return [...puts, ...gone];
}

function errorsOfId(id: string): readonly FieldError[] {
  const detail = idError(id);
  return detail === null ? [] : [{ path: "id", code: "invalid_id", detail }];
}

/** Two changes of one document have no order. */
function checkDistinct(upserts: readonly { readonly id: string }[], deletes: readonly string[]) {
  const named = [
    ...upserts.map(({ id }, i) => ({ id, path: `upserts[${i}].id` })),
    ...deletes.map((id, i) => ({ id, path: `deletes[${i}]` })),
  ];
  const seen = new Set<string>();
  const errors = named.flatMap(({ id, path }): FieldError[] => {
    if (!seen.has(id)) seen.add(id);
    else return [{ path, code: "repeated_id", detail: "name each document once" }];
    return [];
  });
  if (errors.length > 0) throw unprocessable("a document is there twice", errors);
}

function printResult(
  id: string,
  errors: readonly FieldError[],
  outcome: DocumentOutcome | undefined,
) {
  if (outcome?.kind === "put") {
    const { chunks, version } = outcome;
    return { id, status: "written" as const, chunks, version };
  }
  if (outcome?.kind === "deleted") {
    return { id, status: outcome.existed ? ("deleted" as const) : ("not_found" as const) };
  }
  const all = outcome?.kind === "rejected" ? [outcome.error] : errors;
  return { id, status: "rejected" as const, errors: all.slice(0, 20) };
}
