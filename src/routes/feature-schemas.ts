import { z } from "@hono/zod-openapi";
import { epochMs, instant } from "./schemas.ts";

/** One value: decimals and bigints as text. */
export const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const one = z.union([scalar, z.array(scalar).readonly()]);
/** A feature: a value, a list of them, or either for each key of `by()`. */
export const featureValue = z.union([one, z.record(z.string(), one)]);
export const status = z.enum(["PRESENT", "NULL_VALUE", "NOT_FOUND", "OUTSIDE_MAX_AGE", "ERASED"]);
export const entityRow = z
  .record(z.string(), z.union([z.string(), z.number()]))
  .openapi("Entity", { description: "Its key columns", example: { customer_id: "c1" } });

/** What POST /v1/features/online is asked. */
export const onlineRequest = z
  .strictObject({
    service: z.string().min(1).optional(),
    features: z.array(z.string().min(1)).min(1).max(500).optional().openapi({
      description: "`view:feature`, `view__feature`, or `view` for all of its features",
    }),
    entities: z.array(entityRow).min(1).max(1_000),
    request: z
      .array(z.record(z.string(), z.unknown()))
      .max(1_000)
      .optional()
      .openapi({ description: "What on-demand features need, one object for each entity" }),
    as_of: instant.optional().openapi({ description: "Replaces now, in local development only" }),
  })
  .openapi("OnlineRequest", {
    description: "Give either `service` or `features`.",
    example: {
      features: ["customer_spend:payments_1h", "customer_spend:amount_sum_7d"],
      entities: [{ customer_id: "c1" }],
    },
  });

/** What is answered for one entity or many. */
export const onlineAnswer = z
  .object({
    as_of: epochMs.openapi({ description: "The instant at which every feature is computed" }),
    names: z.array(z.string()).readonly(),
    results: z.array(
      z.object({
        entity: z.record(z.string(), z.union([z.string(), z.number()])).readonly(),
        values: z
          .array(featureValue)
          .readonly()
          .openapi({ description: "In the order of `names`" }),
        statuses: z
          .array(status)
          .readonly()
          .openapi({ description: "In the order of `names`; given before defaults apply" }),
        capped: z.array(z.string()).readonly().optional().openapi({
          description:
            "Names of features that reached their bound: the truth is more; absent if none",
        }),
        version: z
          .record(z.string(), z.string())
          .readonly()
          .openapi({ description: "Per view, opaque: names the state that was read" }),
        freshness_ms: z
          .int()
          .nullable()
          .openapi({ description: "Since the latest event in these features was taken in" }),
      }),
    ),
    degraded: z
      .array(z.string())
      .readonly()
      .optional()
      .openapi({ description: "What is not as it should be; absent when all is well" }),
  })
  .openapi("OnlineAnswer", {
    example: {
      as_of: 1795324745202,
      names: ["customer_spend:payments_1h", "customer_spend:amount_sum_7d"],
      results: [
        {
          entity: { customer_id: "c1" },
          values: [3, "129.90"],
          statuses: ["PRESENT", "PRESENT"],
          version: { customer_spend: "1.17" },
          freshness_ms: 812,
        },
      ],
    },
  });
