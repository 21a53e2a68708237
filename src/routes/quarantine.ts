import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { QuarantineItem } from "../ingest/quarantine-store.ts";
import { replay } from "../ingest/replay.ts";
import type { AppEnv } from "./app-env.ts";
import { guarded } from "./middleware/guard.ts";
import { queryBody } from "./middleware/query-body.ts";
import { epochMs, problems } from "./schemas.ts";

const QUARANTINE_ID = /^qrt_[0-9a-z]{1,60}$/;
const id = z.string().regex(QUARANTINE_ID).openapi({ example: "qrt_01kammpx7jc8m2v5x9d3t6r0yq" });

const item = z
  .object({
    id,
    source: z.string(),
    reason: z.string().openapi({ example: "invalid_event" }),
    detail: z.string().openapi({ example: "amount: expected a decimal of at most 38 digits" }),
    event_id: z.string().nullable(),
    received_at: epochMs,
    replayed_at: epochMs.nullable(),
  })
  .openapi("QuarantineItem");

const listRoute = createRoute({
  ...guarded("read_quarantine", "first"),
  method: "get",
  path: "/quarantine",
  operationId: "listQuarantine",
  tags: ["Quarantine"],
  summary: "Events that could not be taken, newest first",
  description:
    "Says why, never what: the event itself is encrypted and is not shown. A key that may read " +
    "the quarantine of some sources only has to name one.",
  request: {
    query: z.object({
      limit: z.coerce
        .number()
        .pipe(z.int().min(1).max(200))
        .default(50)
        .openapi({ type: "integer" }),
      cursor: z.string().regex(QUARANTINE_ID).optional(),
      source: z.string().min(1).max(63).optional(),
    }),
  },
  responses: {
    200: {
      description: "A page",
      content: {
        "application/json": {
          schema: z
            .object({
              items: z.array(item),
              cursor: z.string().nullable().openapi({ description: "Of the next page, or null" }),
            })
            .openapi("QuarantinePage"),
        },
      },
    },
    ...problems("invalid_request", "unauthorized", "forbidden", "dependency_unavailable"),
  },
});

const refusal = z.object({
  id,
  code: z.string(),
  detail: z.string(),
  quarantine_id: z
    .string()
    .nullable()
    .openapi({ description: "Where the event is now, when it was refused anew" }),
});

const replayRoute = createRoute({
  ...guarded("replay_quarantine", "first", queryBody),
  method: "post",
  path: "/quarantine/replay",
  operationId: "replayQuarantine",
  tags: ["Quarantine"],
  summary: "Sends quarantined events through the write path once more",
  description:
    "Once the cause is mended. Harmless for events that were applied meanwhile: an id counts once.",
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z
            .strictObject({ ids: z.array(id).min(1).max(100) })
            .openapi("ReplayRequest", { example: { ids: ["qrt_01kammpx7jc8m2v5x9d3t6r0yq"] } }),
        },
      },
    },
  },
  responses: {
    202: {
      description: "What is on its way, and what is not",
      content: {
        "application/json": {
          schema: z
            .object({
              replayed: z.array(id).readonly(),
              refused: z.array(refusal),
              not_found: z
                .array(z.string())
                .readonly()
                .openapi({ description: "Not there, or replayed already" }),
            })
            .openapi("Replayed"),
        },
      },
    },
    ...problems(
      "invalid_request",
      "unauthorized",
      "forbidden",
      "payload_too_large",
      "unsupported_media_type",
      "too_many_requests",
      "dependency_unavailable",
    ),
  },
});

/** What could not be taken, and taking it after all. */
export const quarantineRoutes = new OpenAPIHono<AppEnv>()
  .openapi(listRoute, async (c) => {
    const { limit, cursor = null, source = null } = c.req.valid("query");
    const { tenant } = c.get("permit")(`source:${source ?? "*"}`);
    const page = await c.get("ctx").quarantine.list(tenant, { limit, cursor, source });
    return c.json({ items: page.items.map(printItem), cursor: page.cursor }, 200);
  })
  .openapi(replayRoute, async (c) => {
    const { tenant } = c.get("permit")("source:*");
    const { ids } = c.req.valid("json");
    const { replayed, refused, notFound } = await replay(c.get("ctx"), { tenant, ids });
    const printed = refused.map(({ id: of, code, detail, quarantineId }) => ({
      id: of,
      code,
      detail,
      quarantine_id: quarantineId,
    }));
    return c.json({ replayed, refused: printed, not_found: notFound }, 202);
  });

const printItem = (one: QuarantineItem) => ({
  id: one.id,
  source: one.source,
  reason: one.reason,
  detail: one.detail,
  event_id: one.eventId,
  received_at: one.receivedAt,
  replayed_at: one.replayedAt,
});
