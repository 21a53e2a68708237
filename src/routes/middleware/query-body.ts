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
 * The body of a query for entities. In `entities` and in the `entity` of `rows`, a number that a
 * double would change becomes text, because it is a key, not a quantity.
 */
export const queryBody = boundedBody(QUERY_LIMITS, withLongKeys);

/** The body of one document or of a batch. */
export const documentBody = boundedBody(DOCUMENT_LIMITS, (text) => text);

/**
 * Pure. JSON text in which keys with more digits than a double has are text. Throws AppError
 * `invalid_request`: what cannot be read exactly might lose digits.
 */
export function withLongKeys(text: string): string {
  return LONG_NUMBER.test(text) ? keepLongKeys(text) : text;
}

type Json = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function keepLongKeys(text: string): string {
  const parsed = parseExactJson(text);
  if (!parsed.ok) throw new AppError("invalid_request", `the body is ${parsed.error}`);
  if (!isObject(parsed.value)) return text;
  const body = rowWithText(parsed.value);
  const { entities, rows } = body;
  return JSON.stringify({
    ...body,
    ...(Array.isArray(entities) && { entities: entities.map(keyWithText) }),
    ...(Array.isArray(rows) && { rows: rows.map(rowWithText) }),
  });
}

function rowWithText<T>(row: T): T {
  return isObject(row) && "entity" in row ? { ...row, entity: keyWithText(row["entity"]) } : row;
}

const keyWithText = (entity: unknown): unknown =>
  isObject(entity)
    ? Object.fromEntries(Object.entries(entity).map(([name, value]) => [name, keyText(value)]))
    : entity;

function keyText(value: unknown): unknown {
  const digits = typeof value === "object" ? numberText(value) : null;
  return digits !== null && LONG_NUMBER.test(digits) ? digits : value;
}
