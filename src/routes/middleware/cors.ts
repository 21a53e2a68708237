import type { Principal } from "../../governance/principal.ts";
import type { Exchange, Middleware } from "../app-env.ts";

const ALLOWED_HEADERS = "authorization, content-type, content-encoding, traceparent, x-request-id";
const EXPOSED_HEADERS = "x-request-id, server-timing, retry-after, traceparent";
const PREFLIGHT_SECONDS = "7200";

/**
 * A preflight carries no key, so it cannot be answered per key: it lets every page ask, and decides
 * nothing. What a page may read is decided with the key, in `allowPage`. No cookie is ever used, so
 * that a page can do nothing in a visitor's name.
 */
export const preflight: Middleware = async (c, next) => {
  const method = c.req.raw.headers.get("access-control-request-method");
  if (c.req.method !== "OPTIONS" || method === null) return next();
  return c.body(null, 204, {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": ALLOWED_HEADERS,
    "Access-Control-Max-Age": PREFLIGHT_SECONDS,
  });
};

/**
 * Lets the page that sent a publishable key read the answer, refusals included. `identify` has seen
 * to it that the page is of an origin that the key names; secret keys are not for pages.
 */
export function allowPage(c: Exchange, { kind, origin }: Principal): void {
  c.header("Vary", "Origin");
  if (kind !== "publishable" || origin === null) return;
  c.header("Access-Control-Allow-Origin", origin);
  c.header("Access-Control-Expose-Headers", EXPOSED_HEADERS);
  c.header("Timing-Allow-Origin", origin);
}
