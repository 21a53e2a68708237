import { numberText, parseExactJson } from "../../ingest/exact-json.ts";
import type { Middleware } from "../app-env.ts";
import { inflate, QUERY_LIMITS, readSent, utf8 } from "./body.ts";

/** A number in which a double may lose digits has at least sixteen of them. */
const LONG_NUMBER = /[\d.]{16}/;

/**
 * Reads a JSON body within the limits and hands it to the route's validator as text. In `entities`
 * a number that a double would change becomes text, because it is a key, not a quantity.
 */
export const queryBody: Middleware = async (c, next) => {
  const request = c.req.raw;
  const sent = await readSent(request, QUERY_LIMITS.sentBytes);
  const coding = request.headers.get("content-encoding");
  const text = utf8(await inflate(coding, sent, QUERY_LIMITS.inflatedBytes));
  const body = Promise.resolve(LONG_NUMBER.test(text) ? keepLongKeys(text) : text);
  // Hono keeps the promise of a body here, which its type does not say.
  c.req.bodyCache.text = body as unknown as string;
  await next();
};

/** Pure. What is no JSON stays as it is: the validator says so. */
function keepLongKeys(text: string): string {
  const parsed = parseExactJson(text);
  const body = parsed.ok ? (parsed.value as { entities?: unknown } | null) : null;
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
