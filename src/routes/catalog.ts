import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { AppEnv } from "./app-env.ts";
import { catalogEntry, catalogKind, catalogOf, KINDS } from "./catalog-entries.ts";
import { scalar } from "./feature-schemas.ts";
import { guarded } from "./middleware/guard.ts";
import { problems } from "./schemas.ts";

const column = z.object({
  name: z.string(),
  type: z.enum(["string", "number", "decimal", "bigint", "boolean", "time", "vector"]),
  dimensions: z.int().optional().openapi({ description: "How many numbers a vector has" }),
  nullable: z.boolean(),
  pii: z.enum(["token", "drop"]).nullable(),
});

const base = { name: z.string(), description: z.string() };

const entity = z
  .object({ kind: z.literal("entity"), ...base, key: z.array(z.string()).readonly() })
  .openapi("CatalogEntity");

const source = z
  .object({
    kind: z.literal("source"),
    ...base,
    owner: z.string(),
    id: z.string().nullable().openapi({ description: "The field of the event id; null: its hash" }),
    row_key: z.array(z.string()).readonly().optional().openapi({ description: "Of rows" }),
    order: z
      .string()
      .nullable()
      .optional()
      .openapi({ description: "Of rows: what orders changes" }),
    left: z
      .string()
      .optional()
      .openapi({ description: "Of pairs: the source of their first event" }),
    right: z.string().optional(),
    on: z
      .array(z.object({ left: z.string(), right: z.string() }))
      .readonly()
      .optional(),
    within_ms: z.int().optional(),
    fan_out: z.int().optional().openapi({ description: "The most pairs of one right event" }),
    event_time: z.string(),
    accepts: z.array(z.enum(["api_key", "standard_webhooks"])),
    fields: z.array(column),
  })
  .openapi("CatalogSource");

const conditionValues = z.array(z.union([z.string(), z.boolean()])).readonly();

const feature = z.object({
  name: z.string().openapi({ example: "customer_spend:amount_sum_7d" }),
  aggregate: z.string(),
  parameters: z
    .record(z.string(), z.number())
    .optional()
    .openapi({ description: "Those of the aggregate, where it has any", example: { n: 5 } }),
  field: z.string().nullable(),
  where: z.record(z.string(), conditionValues),
  by: z
    .object({ field: z.string(), keys: conditionValues })
    .optional()
    .openapi({ description: "The value is an object with a value for each key, and `other`" }),
  window: z
    .string()
    .openapi({ description: "`7d`, `hopping 1h every 5m`, `tumbling 1d`, or `lifetime`" }),
  type: z
    .enum(["integer", "number", "decimal", "bigint", "string", "boolean", "time"])
    .openapi({ description: "Decimals and bigints are returned as text" }),
  list: z.literal(true).optional().openapi({ description: "Values are lists of the type" }),
  default: z.union([scalar, z.array(scalar).readonly()]),
});

const view = z
  .object({
    kind: z.literal("view"),
    ...base,
    owner: z.string(),
    entity: z.string(),
    source: z.string(),
    key: z
      .record(z.string(), z.string())
      .openapi({ description: "The source's field for each column of the entity's key" }),
    max_age_ms: z.int().nullable(),
    features: z.array(feature),
  })
  .openapi("CatalogView");

const onDemandView = z
  .object({
    kind: z.literal("on_demand_view"),
    ...base,
    version: z.int(),
    from: z.array(z.string()).readonly(),
    request: z.array(z.object({ name: z.string(), required: z.boolean() })),
    features: z.array(z.object({ name: z.string() })),
  })
  .openapi("CatalogOnDemandView");

const service = z
  .object({ kind: z.literal("service"), ...base, views: z.array(z.string()).readonly() })
  .openapi("CatalogService");

const model = z
  .object({
    kind: z.literal("model"),
    ...base,
    owner: z.string(),
    version: z.string(),
    task: z.enum(["classifier", "regressor"]),
    service: z.string(),
    features: z.array(z.string()).readonly().openapi({ description: "Its inputs" }),
    classes: z.array(z.string()).readonly(),
  })
  .openapi("CatalogModel");

const collection = z
  .object({
    kind: z.literal("collection"),
    ...base,
    owner: z.string(),
    title: z
      .string()
      .nullable()
      .openapi({ description: "The text field with which every chunk is searched, if any" }),
    text: z.array(z.string()).readonly(),
    fields: z.array(
      z.object({
        name: z.string(),
        type: z.enum(["string", "number", "boolean", "time", "string[]"]),
      }),
    ),
    language: z.enum(["auto", "english", "cjk", "simple"]),
    chunk_tokens: z.int().nullable().openapi({ description: "Null: documents are not split" }),
    embedder: z
      .object({
        kind: z.enum(["workers_ai", "openai", "client", "lexical_hashing"]),
        model: z.string().nullable(),
        dimensions: z.int(),
      })
      .openapi({
        description:
          "As deployed; on one machine words and their parts are hashed in place of a model",
      }),
  })
  .openapi("CatalogCollection");

const anyEntry = z.discriminatedUnion("kind", [
  entity,
  source,
  view,
  onDemandView,
  service,
  model,
  collection,
]);
const kind = z.enum(KINDS);

const refusals = problems("unauthorized", "forbidden", "not_found", "invalid_request");

const catalogRoute = createRoute({
  ...guarded("read_catalog", "later"),
  method: "get",
  path: "/catalog",
  operationId: "readCatalog",
  tags: ["Catalog"],
  summary: "Everything that is defined",
  responses: {
    200: {
      description: "All definitions of the deployment",
      content: {
        "application/json": {
          schema: z
            .object({
              entities: z.array(entity),
              sources: z.array(source),
              views: z.array(view),
              on_demand_views: z.array(onDemandView),
              services: z.array(service),
              models: z.array(model),
              collections: z.array(collection),
            })
            .openapi("Catalog"),
        },
      },
    },
    ...problems("unauthorized", "forbidden"),
  },
});

const kindRoute = createRoute({
  ...guarded("read_catalog", "later"),
  method: "get",
  path: "/catalog/{kind}",
  operationId: "listCatalog",
  tags: ["Catalog"],
  summary: "The definitions of one kind",
  request: { params: z.object({ kind: kind.openapi({ example: "views" }) }) },
  responses: {
    200: {
      description: "All of them",
      content: {
        "application/json": {
          schema: z.object({ items: z.array(anyEntry), cursor: z.null() }).openapi("CatalogPage"),
        },
      },
    },
    ...refusals,
  },
});

const entryRoute = createRoute({
  ...guarded("read_catalog", "later"),
  method: "get",
  path: "/catalog/{kind}/{name}",
  operationId: "readCatalogEntry",
  tags: ["Catalog"],
  summary: "One definition",
  request: {
    params: z.object({
      kind: kind.openapi({ example: "views" }),
      name: z.string().openapi({ example: "customer_spend" }),
    }),
  },
  responses: {
    200: { description: "It", content: { "application/json": { schema: anyEntry } } },
    ...refusals,
  },
});

/** What is defined, from the compiled definitions: no store is asked. */
export const catalogRoutes = new OpenAPIHono<AppEnv>()
  .openapi(catalogRoute, (c) => {
    c.get("permit")("system:catalog");
    return c.json(catalogOf(c.get("ctx")), 200);
  })
  .openapi(kindRoute, (c) => {
    c.get("permit")("system:catalog");
    const items = catalogKind(c.get("ctx"), c.req.valid("param").kind);
    return c.json({ items: [...items], cursor: null }, 200);
  })
  .openapi(entryRoute, (c) => {
    c.get("permit")("system:catalog");
    const { kind: of, name } = c.req.valid("param");
    return c.json(catalogEntry(c.get("ctx"), of, name), 200);
  });
