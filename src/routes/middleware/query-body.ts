import { AppError } from "../../errors.ts";
import { numberText, parseExactJson } from "../../ingest/exact-json.ts";
import type { Middleware } from "../app-env.ts";
import { DOCUMENT_LIMITS, inflate, QUERY_LIMITS, readSent, utf8, type BodyLimits } from "./body.ts";

/** A number in which a double may lose digits has at least sixteen of them. */
const LONG_NUMBER = /[\d.]{16}/;

/** Reads a JSON body within the limits and hands it to the route's validator as text. */
const boundedBody =
  (limits: BodyLimits, rewrite: (text: string) => string): Middleware =>
  async (c, next) => {
    const request = c.req.raw;
    const sent = await readSent(request, limits.sentBytes);
    const coding = request.headers.get("content-encoding");
    const body = rewrite(utf8(await inflate(coding, sent, limits.inflatedBytes)));
    // Hono keeps the promise of a body here, which its type does not say.
    c.req.bodyCache.text = Promise.resolve(body) as unknown as string;
    await next();
  };

/** The body of a search. */
export const searchBody = boundedBody(QUERY_LIMITS, (text) => text);

/**
 * The body of a query for entities. In `entities` a number that a double would change becomes text,
 * because it is a key, not a quantity.
 */
export const queryBody = boundedBody(QUERY_LIMITS, (text) =>
  LONG_NUMBER.test(text) ? keepLongKeys(text) : text,
);

/** The body of one document or of a batch. */
export const documentBody = boundedBody(DOCUMENT_LIMITS, (text) => text);

/** Pure. Throws AppError `invalid_request`: a body that cannot be read exactly might lose digits. */
function keepLongKeys(text: string): string {
  const parsed = parseExactJson(text);
  if (!parsed.ok) throw new AppError("invalid_request", `the body is ${parsed.error}`);
  const body = parsed.value as { entities?: unknown } | null;
  if (typeof body !== "object" || body === null || !Array.isArray(body.entities)) return text;
  const entities = body.entities.map((row: unknown) =>
    typeof row === "object" && row !== null && !Array.isArray(row)
      ? Object.fromEntries(Object.entries(row).map(([name, value]) => [name, keyText(value)]))
      : row,
  );
  return JSON.stringify({ ...body, entities });
}

function keyText(value: unknown): unknown {
  const digits = typeof value === "object" ? numberText(value) : null;
  return digits !== null && LONG_NUMBER.test(digits) ? digits : value;
}
