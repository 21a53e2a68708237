import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Ctx } from "../context.ts";
import { AppError } from "../errors.ts";
import { openHistory, readHistory } from "../features/read-history.ts";
import type { AppEnv, Middleware } from "./app-env.ts";
import { resourcesOf } from "./feature-resources.ts";
import { answerLines, linesOf, printRow, readLine, rowOf } from "./history-lines.ts";
import { historyAnswer, historyHead, historyRequest } from "./history-schemas.ts";
import { guarded } from "./middleware/guard.ts";
import { queryBody } from "./middleware/query-body.ts";
import { noteFailed } from "./online-reader.ts";
import { problems, QUERY_PROBLEMS } from "./schemas.ts";

const NDJSON = "application/x-ndjson";
const isNdjson = (contentType: string | undefined): boolean =>
  /^application\/(x-ndjson|ndjson|jsonl|x-jsonlines)\b/i.test((contentType ?? "").trim());

/** A body of lines is read as it comes; any other is read whole, and has to be JSON. */
const historyBody: Middleware = async (c, next) => {
  const contentType = c.req.header("content-type");
  if (isNdjson(contentType)) return next();
  if (!/^application\/json\b/i.test((contentType ?? "").trim())) {
    throw new AppError("unsupported_media_type", `send application/json or ${NDJSON}`);
  }
  return queryBody(c, next);
};

const lines = (description: string, example: readonly unknown[]) => ({
  schema: z.string().openapi({ description }),
  example: example.map((line) => `${JSON.stringify(line)}\n`).join(""),
});

const historyRoute = createRoute({
  ...guarded("read_history", "first", historyBody),
  method: "post",
  path: "/features/history",
  operationId: "readFeatureHistory",
  tags: ["Features"],
  summary: "Features as they were at any time, of what was known at any time",
  description:
    "Point-in-time correct: a row sees events before `at`, and of these what had been committed " +
    "by `at`, unless it says otherwise. Computed from the event log by the code that serves. Up " +
    "to 1,000 rows as JSON; more, up to 100,000, as NDJSON, which is answered line by line.",
  request: {
    body: {
      content: {
        "application/json": { schema: historyRequest },
        [NDJSON]: lines("First a request without `rows`, then one row a line", [
          { service: "fraud_features", known: "as_served" },
          {
            entity: { customer_id: "c1" },
            at: "2026-11-22T12:00:00Z",
            request: { amount: 12.5 },
          },
        ]),
      },
    },
  },
  responses: {
    200: {
      description: "Features",
      content: {
        "application/json": { schema: historyAnswer },
        [NDJSON]: lines(
          "First the names; then a line for each row, which has `errors` where it is refused; at " +
            "the end `done`, or `error` where the answer had to be cut",
          [
            { names: ["customer_spend:payments_1h"] },
            { values: [3], statuses: ["PRESENT"] },
            { done: { rows: 1, refused: 0 } },
          ],
        ),
      },
    },
    ...problems(...QUERY_PROBLEMS),
  },
});

/** The history of features. */
export const historyRoutes = new OpenAPIHono<AppEnv>().openapi(historyRoute, async (c) => {
  const ctx = c.get("ctx");
  if (isNdjson(c.req.header("content-type"))) {
    if ((c.req.header("content-encoding") ?? "identity") !== "identity") {
      throw new AppError("unsupported_media_type", "send lines plain, not compressed");
    }
    const sent = linesOf((c.req.raw.body ?? new Blob([]).stream()) as ReadableStream<Uint8Array>);
    const first = await sent.next();
    const head = readLine(historyHead, first.done === true ? "" : first.value);
    if (!head.ok) {
      const detail = "the first line is a request without rows; see /docs";
      throw new AppError("invalid_request", detail, { errors: head.error });
    }
    const { tenant } = c.get("permit")(...resourcesOf(head.value));
    const reader = await openHistory(ctx, { tenant, ...head.value });
    const failed = (names: Iterable<string>): void => noteFailed(ctx, names);
    const body = streamOf(ctx, c.get("requestId"), answerLines(reader, sent, failed));
    return new Response(body, { headers: { "content-type": NDJSON } });
  }
  // Lines were answered above: what is left is JSON.
  const body = c.req.valid("json") as z.output<typeof historyRequest>;
  const { service, features, known, rows } = body;
  const { tenant } = c.get("permit")(...resourcesOf({ service, features }));
  const asked = { tenant, service, features, known, rows: rows.map(rowOf) };
  const answer = await readHistory(ctx, asked);
  const printed = { names: answer.names, rows: answer.rows.map(printRow) };
  noteFailed(ctx, answer.degraded);
  const degraded = answer.degraded.length > 0 && { degraded: answer.degraded };
  return c.json({ ...printed, ...degraded }, 200);
});

/** Text as a stream that is made while it is read; what fails on the way is its last line. */
function streamOf(
  { note }: Pick<Ctx, "note">,
  requestId: string,
  texts: AsyncGenerator<string>,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const next = await texts.next();
        if (next.done === true) controller.close();
        else controller.enqueue(encoder.encode(next.value));
      } catch (error) {
        const known = error instanceof AppError && error.code !== "internal" ? error : null;
        if (known === null) note("history broke off", { request_id: requestId, error });
        const code = known?.code ?? "internal";
        const detail = known?.message ?? "something went wrong; it is logged under this request id";
        const line = { error: { code, detail, request_id: requestId } };
        controller.enqueue(encoder.encode(`${JSON.stringify(line)}\n`));
        controller.close();
      }
    },
    async cancel() {
      await texts.return(undefined);
    },
  });
}
