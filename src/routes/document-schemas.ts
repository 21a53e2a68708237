import { z } from "@hono/zod-openapi";

const MAX_ID_BYTES = 512;
// oxlint-disable-next-line no-control-regex -- these are what an id must not hold
const CONTROL = /[\u0000-\u001f\u007f]/;
const DOTS = /^\.{1,2}$/;

/** A document's id, chosen by its sender. */
export const documentId = z
  .string()
  .refine(
    (id) =>
      id !== "" &&
      !DOTS.test(id) &&
      id.isWellFormed() &&
      !CONTROL.test(id) &&
      bytes(id) <= MAX_ID_BYTES,
    {
      error:
        `expected an id of 1 to ${MAX_ID_BYTES} bytes without control characters, and neither ` +
        '"." nor "..", which no URL can name',
    },
  )
  .openapi({ example: "refund-time" });

const bytes = (text: string): number => new TextEncoder().encode(text).length;

/** Why it is no id of a document, or null. */
export const idError = (id: string): string | null =>
  documentId.safeParse(id).error?.issues[0]?.message ?? null;

export const MAX_CHANGES = 500;

const members = {
  type: "object" as const,
  description:
    "The collection's text and filter fields; `expires_at` (epoch ms or ISO 8601) if it is to " +
    "vanish; `vector` where clients give vectors. GET /v1/catalog/collections/{name} lists them.",
};

/** One document, without its id. */
export const documentBodySchema = z.record(z.string(), z.unknown()).openapi("DocumentBody", {
  ...members,
  example: {
    title: "How long does a refund take?",
    body: "We send it within a day. Your bank books it three to five days later.",
    topic: "refunds",
    language: "en",
    updated_at: "2026-11-22T12:00:00Z",
  },
});

export const documentsRequest = z
  .strictObject({
    upserts: z.array(z.looseObject({ id: z.string() })).default([]),
    deletes: z.array(z.string()).default([]),
  })
  .refine(({ upserts, deletes }) => upserts.length + deletes.length <= MAX_CHANGES, {
    error: `expected at most ${MAX_CHANGES} changes`,
  })
  .openapi("DocumentsRequest", {
    description: `At most ${MAX_CHANGES} changes, each id once.`,
    example: {
      upserts: [{ id: "refund-time", title: "How long does a refund take?", topic: "refunds" }],
      deletes: ["old-page"],
    },
  });

const fieldError = z.object({ path: z.string(), code: z.string(), detail: z.string() });

export const putAnswer = z
  .object({
    id: documentId,
    chunks: z.int(),
    version: z.int().openapi({ description: "Rises with every change" }),
  })
  .openapi("DocumentWritten", { example: { id: "refund-time", chunks: 1, version: 17 } });

export const deleteAnswer = z
  .object({ id: documentId, deleted: z.boolean().openapi({ description: "Whether it was there" }) })
  .openapi("DocumentDeleted", { example: { id: "refund-time", deleted: true } });

export const documentsAnswer = z
  .object({
    results: z
      .array(
        z.object({
          id: z.string(),
          status: z.enum(["written", "deleted", "not_found", "rejected"]),
          chunks: z.int().optional(),
          version: z.int().optional(),
          errors: z.array(fieldError).readonly().optional().openapi({
            description: "Why a document was rejected; the others are not affected",
          }),
        }),
      )
      .openapi({ description: "Upserts, then deletes, in the order of the request" }),
  })
  .openapi("DocumentsAnswer", {
    example: {
      results: [
        { id: "refund-time", status: "written", chunks: 1, version: 17 },
        { id: "old-page", status: "deleted" },
      ],
    },
  });

export const storedDocument = z
  .looseObject({ id: documentId, version: z.int(), chunks: z.int() })
  .openapi("Document", {
    description: "As it was put, without its vector; times in epoch milliseconds.",
    example: {
      id: "refund-time",
      version: 17,
      chunks: 1,
      title: "How long does a refund take?",
      body: "We send it within a day.",
      topic: "refunds",
      language: "en",
      updated_at: 1795348800000,
    },
  });
