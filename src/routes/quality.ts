import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { AppError } from "../errors.ts";
import { readQuality, windowMs } from "../features/quality/read-quality.ts";
import type { AppEnv } from "./app-env.ts";
import { guarded } from "./middleware/guard.ts";
import { printQuality } from "./quality-entries.ts";
import { epochMs, problems } from "./schemas.ts";

const span = (name: string) =>
  z
    .object({ from: epochMs, to: epochMs, profiles: z.int() })
    .openapi({ description: `The ${name}, and how many of its profiles are looked at` });
const figure = z.number();
const share = z.number().openapi({ minimum: 0, maximum: 1 });

const drift = z
  .object({
    psi: z.number().openapi({ description: "Population stability index; 0: no difference" }),
    noise: z.number().openapi({
      description: "What chance alone exceeds once in a hundred times, of so few entities",
    }),
    reading: z.enum(["stable", "moderate", "shifted", "unclear"]).openapi({
      description: "Below 0.1, up to 0.25, above; `unclear`: 0.1 or more, and within the noise",
    }),
  })
  .openapi("Drift");

const quality = z
  .object({
    view: z.string(),
    version: z.int().nullable(),
    window: span("window"),
    baseline: span("baseline before it"),
    note: z.string().nullable().openapi({ description: "Why figures are missing, if any are" }),
    profile: z
      .object({
        taken_at: epochMs,
        entities: z.int().openapi({ description: "In the sample, at most 1,000" }),
        not_found: z.int().openapi({ description: "Of them, without an event in any window" }),
        outside_max_age: z.int(),
        event_age_ms: z.int().nullable().openapi({ description: "Of the newest event of any" }),
        ingest_age_ms: z.int().nullable().openapi({ description: "Since one was taken in" }),
        entity_age_ms: z
          .object({ p50: z.number().nullable(), p95: z.number().nullable() })
          .nullable()
          .openapi({ description: "How long ago an entity's newest event was" }),
      })
      .nullable()
      .openapi({ description: "The newest of the window; what features show is of it" }),
    drift: drift.nullable().openapi({ description: "Of how many entities are found" }),
    features: z.array(
      z.object({
        name: z.string(),
        key: z.string().optional().openapi({ description: "Of a feature that is split by keys" }),
        type: z.string(),
        list: z.literal(true).optional(),
        null_rate: share.nullable().openapi({ description: "Of the entities that are found" }),
        numbers: z
          .object({
            min: figure,
            p5: figure,
            p50: figure,
            p95: figure,
            max: figure,
            mean: figure,
          })
          .nullable()
          .openapi({
            description: "Of times their age in ms, of lists their length, of vectors their norm",
          }),
        commonest: z
          .array(z.object({ value: z.string(), share }))
          .nullable()
          .openapi({
            description:
              "Values that two entities or more have; of personal data none, not even tokens",
          }),
        others: share.nullable(),
        baseline_null_rate: share.nullable(),
        drift: drift.nullable(),
      }),
    ),
  })
  .openapi("Quality");

const duration = (fallback: string) =>
  z
    .string()
    .transform((text, context) => {
      const ms = windowMs(text);
      if (ms !== null) return ms;
      context.addIssue("expected a duration from 1h to 60d");
      return z.NEVER;
    })
    .optional()
    .openapi({ type: "string", description: `1h to 60d; ${fallback} where absent` });

const query = z.object({ window: duration("1d"), baseline: duration("7d") });

const description =
  "Every hour a sample of each view's entities is profiled. Drift compares the profiles of the " +
  "last `window` with those of the `baseline` before it.";

const listRoute = createRoute({
  ...guarded("read_metrics", "first"),
  method: "get",
  path: "/quality",
  operationId: "listQuality",
  tags: ["Quality"],
  summary: "Null rates, distributions, drift and freshness of all views",
  description,
  request: { query },
  responses: {
    200: {
      description: "Of all views",
      content: {
        "application/json": {
          schema: z.object({ items: z.array(quality), cursor: z.null() }).openapi("QualityPage"),
        },
      },
    },
    ...problems("invalid_request", "unauthorized", "forbidden", "dependency_unavailable"),
  },
});

const viewRoute = createRoute({
  ...guarded("read_metrics", "first"),
  method: "get",
  path: "/quality/{view}",
  operationId: "readQuality",
  tags: ["Quality"],
  summary: "Null rates, distributions, drift and freshness of one view",
  description,
  request: {
    params: z.object({ view: z.string().openapi({ example: "customer_spend" }) }),
    query,
  },
  responses: {
    200: { description: "Of this view", content: { "application/json": { schema: quality } } },
    ...problems(
      "invalid_request",
      "unauthorized",
      "forbidden",
      "not_found",
      "dependency_unavailable",
    ),
  },
});

/** What the profiles of a tenant's views show. */
export const qualityRoutes = new OpenAPIHono<AppEnv>()
  .openapi(listRoute, async (c) => {
    const { tenant } = c.get("permit")("view:*");
    const ctx = c.get("ctx");
    const items = [];
    // One by one: all views' profiles at once could be more than a Worker holds.
    for (const plan of ctx.registry.views.values()) {
      const one = await readQuality(ctx, plan, { tenant, ...c.req.valid("query") });
      items.push(printQuality(ctx.registry, plan, one));
    }
    return c.json({ items, cursor: null }, 200);
  })
  .openapi(viewRoute, async (c) => {
    const { view } = c.req.valid("param");
    const { tenant } = c.get("permit")(`view:${view}`);
    const ctx = c.get("ctx");
    const plan = ctx.registry.views.get(view);
    if (plan === undefined) throw new AppError("not_found", `there is no view "${view}"`);
    const one = await readQuality(ctx, plan, { tenant, ...c.req.valid("query") });
    return c.json(printQuality(ctx.registry, plan, one), 200);
  });
