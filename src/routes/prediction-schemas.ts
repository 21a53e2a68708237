import { z } from "@hono/zod-openapi";
import { entityRow } from "./feature-schemas.ts";
import { epochMs, instant } from "./schemas.ts";

const value = z.union([z.string(), z.number(), z.boolean(), z.null()]);

export const predictionRequest = z
  .strictObject({
    entities: z.array(entityRow).min(1).max(1_000).optional(),
    request: z
      .array(z.record(z.string(), z.unknown()))
      .max(1_000)
      .optional()
      .openapi({ description: "What on-demand features need, one object for each entity" }),
    features: z.array(z.record(z.string(), value)).min(1).max(1_000).optional().openapi({
      description: "Instead of entities: the model's inputs, as `view:feature` or `view__feature`",
    }),
    explain: z
      .boolean()
      .default(false)
      .openapi({ description: "Adds what each feature contributes; needs `read_features` too" }),
    as_of: instant.optional().openapi({ description: "Replaces now, in local development only" }),
  })
  .openapi("PredictionRequest", {
    description: "Give either `entities` or `features`.",
    example: {
      entities: [{ customer_id: "c1" }],
      request: [{ amount: 899.9, country: "BR" }],
      explain: true,
    },
  });

export const predictionAnswer = z
  .object({
    model: z.object({ name: z.string(), version: z.string() }),
    as_of: epochMs.openapi({ description: "The instant at which every feature is computed" }),
    predictions: z.array(
      z.object({
        id: z.string().openapi({ description: "Names this prediction" }),
        entity: z
          .record(z.string(), z.union([z.string(), z.number()]))
          .readonly()
          .optional(),
        value: z
          .number()
          .nullable()
          .openapi({
            description:
              "A regressor's prediction; of two classes the probability of the last, of more that " +
              "of the label. Null: a feature is missing that the model cannot do without.",
          }),
        label: z.string().nullable(),
        probabilities: z.record(z.string(), z.number()).readonly().nullable(),
        contributions: z
          .array(z.object({ feature: z.string(), value, contribution: z.number() }))
          .readonly()
          .optional()
          .openapi({ description: "With `base` they add up to the score (log-odds for classes)" }),
        base: z.number().optional(),
        version: z
          .record(z.string(), z.string())
          .readonly()
          .openapi({ description: "Per view, opaque: names the state that was read" }),
        degraded: z
          .array(z.string())
          .readonly()
          .openapi({ description: "Features that were missing and took the model's default" }),
      }),
    ),
  })
  .openapi("PredictionAnswer", {
    example: {
      model: { name: "fraud", version: "1" },
      as_of: 1795324745202,
      predictions: [
        {
          id: "prd_01kammpx7jc8m2v5x9d3t6r0yq",
          entity: { customer_id: "c1" },
          value: 0.97,
          label: "fraud",
          probabilities: { legit: 0.03, fraud: 0.97 },
          version: { customer_spend: "1.17", velocity: "1" },
          degraded: [],
        },
      ],
    },
  });
