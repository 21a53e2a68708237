import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { readOnline, type OnlineAnswer } from "../features/read-online.ts";
import { entityFromPath } from "./entity-path.ts";
import { resourcesOf } from "./feature-resources.ts";
import { onlineAnswer, onlineRequest } from "./feature-schemas.ts";
import type { AppEnv } from "./app-env.ts";
import { guarded } from "./middleware/guard.ts";
import { queryBody } from "./middleware/query-body.ts";
import { readerOf, replacedNow } from "./online-reader.ts";
import { instant, problems, QUERY_PROBLEMS } from "./schemas.ts";

const onlineRoute = createRoute({
  ...guarded("read_features", "read", queryBody),
  method: "post",
  path: "/features/online",
  operationId: "readOnlineFeatures",
  tags: ["Features"],
  summary: "The current features of up to 1,000 entities",
  description:
    "One round trip to the online store, whatever the number of entities and views. Numbers that " +
    "a double cannot hold come back as text, in `entity` too.",
  request: { body: { required: true, content: { "application/json": { schema: onlineRequest } } } },
  responses: {
    200: { description: "Features", content: { "application/json": { schema: onlineAnswer } } },
    ...problems(...QUERY_PROBLEMS),
  },
});

const entityRoute = createRoute({
  ...guarded("read_features", "read"),
  method: "get",
  path: "/features/{name}/{key}",
  operationId: "readEntityFeatures",
  tags: ["Features"],
  summary: "The current features of one entity",
  description:
    "Of a view, or of every view of a service. On-demand features need a request and are left " +
    "out: ask for them with POST. All views of the service must have the same entity key.",
  request: {
    params: z.object({
      name: z.string().openapi({ description: "A view or service", example: "customer_spend" }),
      key: z.string().openapi({
        description: "The key's columns, joined by `,` and each percent-encoded",
        example: "c1",
      }),
    }),
    query: z.object({
      as_of: z
        .string()
        .transform((text) => (/^-?\d+$/.test(text) ? Number(text) : text))
        .pipe(instant)
        .optional()
        .openapi({ type: "string", description: "Replaces now, in local development only" }),
    }),
  },
  responses: {
    200: { description: "Features", content: { "application/json": { schema: onlineAnswer } } },
    ...problems(
      "invalid_request",
      "unauthorized",
      "forbidden",
      "not_found",
      "unprocessable",
      "dependency_unavailable",
      "timeout",
    ),
  },
});

/** Online features. */
export const featureRoutes = new OpenAPIHono<AppEnv>()
  .openapi(onlineRoute, async (c) => {
    const ctx = c.get("ctx");
    const asked = c.req.valid("json");
    const caller = c.get("permit")(...resourcesOf(asked));
    const { service, features, entities, request } = asked;
    const asOf = replacedNow(ctx, asked.as_of);
    const { tenant } = caller;
    const input = { tenant, service, features, entities, request, asOf };
    return c.json(printAnswer(await readOnline(readerOf(ctx, caller), input)), 200);
  })
  .openapi(entityRoute, async (c) => {
    const ctx = c.get("ctx");
    const { name } = c.req.valid("param");
    const kind = ctx.registry.services.has(name) ? "service" : "view";
    const caller = c.get("permit")(`${kind}:${name}`);
    const { views, entity } = entityFromPath(ctx.registry, name, c.req.url);
    const asOf = replacedNow(ctx, c.req.valid("query").as_of);
    const input = { tenant: caller.tenant, features: views, entities: [entity], asOf };
    return c.json(printAnswer(await readOnline(readerOf(ctx, caller), input)), 200);
  });

function printAnswer({ asOf, names, results, degraded }: OnlineAnswer) {
  const printed = results.map(({ entity, values, statuses, capped, version, freshnessMs }) => ({
    entity,
    values,
    statuses,
    ...(capped.length > 0 && { capped }),
    version,
    freshness_ms: freshnessMs,
  }));
  return { as_of: asOf, names, results: printed, ...(degraded.length > 0 && { degraded }) };
}
