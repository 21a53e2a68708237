import { z } from "@hono/zod-openapi";
import { entityRow, featureValue, status } from "./feature-schemas.ts";
import { instant } from "./schemas.ts";

const asked = {
  service: z.string().min(1).optional(),
  features: z.array(z.string().min(1)).min(1).max(500).optional().openapi({
    description: "`view:feature`, `view__feature`, or `view` for all of its features",
  }),
  known: z
    .enum(["as_served", "latest"])
    .optional()
    .openapi({
      description:
        "`as_served` (default): each row sees what had been committed by its time. `latest`: all " +
        "that is known by now, which tells a model what nobody knew then",
    }),
};

/** One row that is asked for. */
export const historyRow = z
  .strictObject({
    entity: entityRow,
    at: instant.openapi({ description: "The time of the values: events before it count" }),
    known_at: instant.optional().openapi({ description: "Only what was known by then counts" }),
    version: z.record(z.string(), z.string()).optional().openapi({
      description: "Of an online answer: with its `as_of` as `at`, the same values again",
    }),
    request: z
      .record(z.string(), z.unknown())
      .optional()
      .openapi({ description: "What on-demand features need" }),
  })
  .openapi("HistoryRow");

/** The first line of NDJSON: a request without its rows. */
export const historyHead = z.strictObject(asked);

/** What POST /v1/features/history is asked. */
export const historyRequest = z
  .strictObject({ ...asked, rows: z.array(historyRow).min(1).max(1_000) })
  .openapi("HistoryRequest", {
    description: "Give either `service` or `features`.",
    example: {
      features: ["customer_spend:payments_1h", "customer_spend:amount_sum_7d"],
      rows: [{ entity: { customer_id: "c1" }, at: "2026-11-22T12:00:00Z" }],
    },
  });

const rowAnswer = z.object({
  values: z.array(featureValue).readonly().openapi({ description: "In the order of `names`" }),
  statuses: z.array(status).readonly().openapi({ description: "Given before defaults apply" }),
  capped: z
    .array(z.string())
    .readonly()
    .optional()
    .openapi({ description: "Names of features that reached their bound; absent if none" }),
});

/** What is answered, in the order of the rows. */
export const historyAnswer = z
  .object({
    names: z.array(z.string()).readonly(),
    rows: z.array(rowAnswer),
    degraded: z.array(z.string()).readonly().optional().openapi({
      description: "On-demand features whose function failed on some row; absent if none",
    }),
  })
  .openapi("HistoryAnswer", {
    example: {
      names: ["customer_spend:payments_1h", "customer_spend:amount_sum_7d"],
      rows: [{ values: [3, "129.90"], statuses: ["PRESENT", "PRESENT"] }],
    },
  });
