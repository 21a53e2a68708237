import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { acceptEvents, type AcceptAnswer } from "../ingest/accept.ts";
import { readRecords } from "../ingest/body.ts";
import type { AppEnv } from "./app-env.ts";
import { readImport } from "./import-body.ts";
import { EVENT_LIMITS, inflate, readSent } from "./middleware/body.ts";
import { guarded } from "./middleware/guard.ts";
import { problems } from "./schemas.ts";
import { senderOf } from "./sender.ts";

const payment = {
  payment_id: "p1",
  customer_id: "c1",
  merchant_id: "m1",
  amount: "12.50",
  country: "DE",
  email: "ada@example.com",
  paid_at: "2026-11-22T12:00:00Z",
};

const source = z.object({ source: z.string().openapi({ example: "payments" }) });
const wait = z.object({
  wait: z.enum(["applied"]).optional().openapi({
    description: "Answer when the accepted events are visible online, or after ten seconds",
  }),
});

const accepted = z
  .object({
    accepted: z.int(),
    duplicates: z.int().openapi({ description: "Repeats within this request" }),
    rejected: z.array(
      z.object({
        index: z.int().openapi({ description: "Position in the request, from 0" }),
        code: z.enum(["invalid_event", "event_in_future", "event_too_large", "event_id_conflict"]),
        detail: z.string(),
        quarantine_id: z.string(),
      }),
    ),
    event_ids: z
      .array(z.string())
      .readonly()
      .openapi({ description: "Of the accepted events, in the order of the request" }),
    applied: z
      .boolean()
      .optional()
      .openapi({ description: "With wait=applied: whether the events are visible online" }),
  })
  .openapi("Accepted", {
    example: { accepted: 1, duplicates: 0, rejected: [], event_ids: ["p1"], applied: true },
  });

const answers = {
  202: {
    description: "Accepted events are durable; refused ones are in quarantine",
    content: { "application/json": { schema: accepted } },
  },
  ...problems(
    "invalid_request",
    "unauthorized",
    "forbidden",
    "not_found",
    "payload_too_large",
    "unsupported_media_type",
    "too_many_requests",
    "dependency_unavailable",
  ),
};

const record = {
  type: "object" as const,
  description: "As the source's schema says; of a source of rows, a change: op, row, before, order",
};
const change = { op: "update", row: { ...payment, amount: "11.00" }, order: "16/B374D848" };
const eventsRoute = createRoute({
  "x-action": "ingest",
  security: [{ api_key: [] }, { standard_webhooks: [] }],
  method: "post",
  path: "/sources/{source}/events",
  operationId: "sendEvents",
  tags: ["Events"],
  summary: "Sends events to a source",
  description:
    "Up to 1,000 events and 5 MB (10 MB after gzip). An event that does not fit is a rejection " +
    "inside a 202 and harms no other. Sending an event again is harmless: the first commit of an " +
    "id wins. Numbers are taken from their text, exactly.\n\n" +
    'A source that is a table takes changes of its rows: `{"op","row","before","order"}`. `op` is ' +
    "insert, update, upsert or read, which all say that the row now is `row`, complete, or delete, " +
    "which needs the columns of its key alone. `before` matters where the key changed: it holds the " +
    "old one. `order` says which of a row's changes is the latest, unless the source names a column " +
    "for it: a whole number, a Postgres LSN, a date-time with offset, or a list of these. The " +
    "highest order wins, whatever arrives first.",
  request: {
    params: source,
    query: wait,
    body: {
      required: true,
      content: {
        "application/json": {
          schema: { oneOf: [record, { type: "array", items: record }] },
          examples: {
            one: { value: payment },
            several: { value: [payment] },
            change: { value: change },
          },
        },
        "application/x-ndjson": {
          schema: { type: "string", description: "One object a line" },
          example: `${JSON.stringify(payment)}\n`,
        },
      },
    },
  },
  responses: answers,
});

const importRoute = createRoute({
  ...guarded("import", "later"),
  method: "post",
  path: "/sources/{source}/import",
  operationId: "importEvents",
  tags: ["Events"],
  summary: "Imports past events, with the time at which each was known",
  description:
    "`known_at` decides what a point-in-time query may see; it is never later than now. The " +
    "limits are those of sending events.",
  request: {
    params: source,
    query: wait,
    body: {
      required: true,
      content: {
        "application/json": {
          schema: {
            type: "object",
            required: ["events"],
            properties: {
              events: {
                type: "array",
                maxItems: 1_000,
                items: {
                  type: "object",
                  required: ["event", "known_at"],
                  properties: {
                    event: record,
                    known_at: {
                      type: ["integer", "string"],
                      description: "Epoch milliseconds, or ISO 8601 with offset",
                    },
                  },
                },
              },
            },
          },
          example: { events: [{ event: payment, known_at: "2026-11-22T12:00:01Z" }] },
        },
      },
    },
  },
  responses: answers,
});

/** The way in for events. */
export const eventRoutes = new OpenAPIHono<AppEnv>()
  .openapi(eventsRoute, async (c) => {
    const ctx = c.get("ctx");
    const request = c.req.raw;
    const { source: name } = c.req.valid("param");
    const { tenant, sent } = await senderOf(ctx, c, name, () =>
      readSent(request, EVENT_LIMITS.sentBytes),
    );
    const coding = request.headers.get("content-encoding");
    const body = await inflate(coding, sent, EVENT_LIMITS.inflatedBytes);
    const records = readRecords(request.headers.get("content-type") ?? "", body);
    const answer = await acceptEvents(ctx, {
      tenant,
      source: name,
      traceparent: c.get("traceparent"),
      records: records.map((one) => ({ value: one, text: one.text, knownAt: null })),
      waitApplied: c.req.valid("query").wait === "applied",
    });
    return c.json(printAnswer(answer), 202);
  })
  .openapi(importRoute, async (c) => {
    const { headers } = c.req.raw;
    const { source: name } = c.req.valid("param");
    const { tenant } = c.get("permit")(`source:${name}`);
    const sent = await readSent(c.req.raw, EVENT_LIMITS.sentBytes);
    const coding = headers.get("content-encoding");
    const body = await inflate(coding, sent, EVENT_LIMITS.inflatedBytes);
    const answer = await acceptEvents(c.get("ctx"), {
      tenant,
      source: name,
      traceparent: c.get("traceparent"),
      records: readImport(headers.get("content-type") ?? "", body),
      waitApplied: c.req.valid("query").wait === "applied",
    });
    return c.json(printAnswer(answer), 202);
  });

function printAnswer({ accepted: count, duplicates, rejected, eventIds, applied }: AcceptAnswer) {
  return {
    accepted: count,
    duplicates,
    rejected: rejected.map(({ index, code, detail, quarantineId }) => ({
      index,
      code,
      detail,
      quarantine_id: quarantineId,
    })),
    event_ids: eventIds,
    ...(applied !== null && { applied }),
  };
}
