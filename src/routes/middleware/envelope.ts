import { newId } from "../../ids.ts";
import { DESTINATIONS, type RoundTrips } from "../../round-trips.ts";
import type { Middleware } from "../app-env.ts";

/** A caller's own request id is kept when it can do no harm in a log or a header. */
const SANE_ID = /^[A-Za-z0-9_.:-]{1,100}$/;
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * Names the request, echoes its trace, and says in Server-Timing what it cost: for each store the
 * milliseconds waited and, as description, the round trips.
 */
export const envelope: Middleware = async (c, next) => {
  const started = performance.now();
  const sent = c.req.raw.headers.get("x-request-id");
  const requestId = sent !== null && SANE_ID.test(sent) ? sent : newId("req", Date.now());
  const trace = c.req.raw.headers.get("traceparent");
  const traceparent = trace !== null && TRACEPARENT.test(trace) ? trace : null;
  c.set("requestId", requestId);
  c.set("traceparent", traceparent);
  await next();
  const { headers } = c.res;
  headers.set("X-Request-Id", requestId);
  if (traceparent !== null) headers.set("traceparent", traceparent);
  headers.set("Server-Timing", timing(c.get("ctx")?.roundTrips, performance.now() - started));
  for (const work of c.get("afterwards") ?? []) c.executionCtx.waitUntil(work());
};

/** Pure. `redis;dur=1.9;desc="1", …, total;dur=2.3`. */
function timing(trips: RoundTrips | undefined, totalMs: number): string {
  let text = "";
  for (const name of trips === undefined ? [] : DESTINATIONS) {
    const { ms = 0, count = 0 } = trips?.[name] ?? {};
    text += `${name};dur=${ms.toFixed(1)};desc="${count}", `;
  }
  return `${text}total;dur=${totalMs.toFixed(1)}`;
}
