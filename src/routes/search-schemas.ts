import { z } from "@hono/zod-openapi";
import { MAX_HITS } from "../retrieval/search.ts";

const MAX_QUERY = 4_096;

export const searchRequest = z
  .strictObject({
    query: z.string().max(MAX_QUERY).optional(),
    vector: z
      .array(z.number())
      .optional()
      .openapi({ description: "Of the query; takes the place of the collection's embedder" }),
    mode: z
      .enum(["hybrid", "keyword", "vector"])
      .optional()
      .openapi({ description: "By default hybrid; vector where only a vector is given" }),
    k: z.int().min(1).max(MAX_HITS).default(10).openapi({ description: "How many hits" }),
    filter: z
      .record(z.string(), z.unknown())
      .nullish()
      .openapi({
        description:
          "By the collection's fields: a value, or operators `eq ne in nin gt gte lt lte exists " +
          "contains`; `and`, `or`, `not` combine filters. Times are epoch milliseconds or ISO 8601.",
      }),
    bm25: z
      .strictObject({
        k1: z.number().min(0).max(10).default(0.9),
        b: z.number().min(0).max(1).default(0.4),
      })
      .default({ k1: 0.9, b: 0.4 }),
    fusion: z
      .strictObject({
        method: z.enum(["relative_score", "rrf", "dbsf"]).default("relative_score"),
        alpha: z
          .number()
          .min(0)
          .max(1)
          .default(0.5)
          .openapi({ description: "Weight of the vectors; words have the rest" }),
      })
      .default({ method: "relative_score", alpha: 0.5 }),
    highlight: z.boolean().default(false),
  })
  .openapi("SearchRequest", {
    example: {
      query: "how long does a refund take",
      k: 3,
      filter: { topic: "refunds", updated_at: { gte: "2026-01-01T00:00:00Z" } },
      highlight: true,
    },
  });

const span = z.object({ start: z.int(), end: z.int() });
const fieldValue = z.union([z.string(), z.number(), z.boolean(), z.array(z.string()).readonly()]);

export const searchAnswer = z
  .object({
    hits: z.array(
      z.object({
        id: z.string().openapi({ description: "The document's" }),
        chunk: z.int().openapi({ description: "Which part of the document, from 0" }),
        score: z.number(),
        scores: z
          .object({ bm25: z.number().nullable(), vector: z.number().nullable() })
          .openapi({ description: "BM25 and cosine similarity; null: not among the candidates" }),
        text: z.string(),
        highlights: z
          .array(span)
          .readonly()
          .optional()
          .openapi({ description: "Where the query's words are in `text`, in UTF-16 units" }),
        fields: z
          .record(z.string(), fieldValue)
          .openapi({ description: "The document's title and filter fields" }),
      }),
    ),
    facets: z.object({}),
    degraded: z
      .array(z.string())
      .readonly()
      .openapi({ description: "`embedder_unavailable`: found by words alone" }),
    cursor: z.null(),
  })
  .openapi("SearchAnswer", {
    example: {
      hits: [
        {
          id: "refund-time",
          chunk: 0,
          score: 0.98,
          scores: { bm25: 7.41, vector: 0.83 },
          text: "We send it within a day. Your bank books it three to five days later.",
          highlights: [{ start: 0, end: 2 }],
          fields: { title: "How long does a refund take?", topic: "refunds", language: "en" },
        },
      ],
      facets: {},
      degraded: [],
      cursor: null,
    },
  });
