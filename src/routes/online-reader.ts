import type { Ctx } from "../context.ts";
import { AppError } from "../errors.ts";
import type { ReadOnlineContext } from "../features/read-online.ts";
import type { Principal } from "../governance/principal.ts";
import { logAnswer } from "../ingest/log-answer.ts";
import { keyRefused } from "./identity.ts";

/**
 * What reading features needs, with a look at the revoked keys of the meta key it reads anyway. A
 * share of the answers is logged for the skew audit, after they are given.
 */
export function readerOf(ctx: Ctx, { tenant, keyId }: Principal): ReadOnlineContext {
  const { registry, online, vault, revocations, now, config } = ctx;
  const setting = config.onIncompleteStore;
  return {
    registry,
    online,
    vault,
    now,
    whenIncomplete: setting === "degraded" ? "degraded" : "unavailable",
    ...(setting === "postgres" && { truth: ctx.storedStates }),
    checkMeta({ revokedKeys }) {
      if (revocations.isStale(tenant, now())) revocations.noteMeta(tenant, revokedKeys, now());
      if (revokedKeys.includes(keyId)) throw keyRefused();
    },
    answered(read) {
      noteFailed(ctx, read.answer.degraded);
      if (ctx.random() < config.skewSample) ctx.afterwards(() => logAnswer(ctx, read));
    },
  };
}

/** Notes on-demand features whose function failed, once for an answer that names them. */
export function noteFailed(
  { note, registry }: Pick<Ctx, "note" | "registry">,
  names: Iterable<string>,
) {
  const failed = [...names].filter((name) => registry.onDemand.has(name.split(":")[0] ?? ""));
  if (failed.length > 0) note("on-demand features failed", { features: failed });
}

/** An `as_of` that replaces the clock; throws AppError `unprocessable` but on one machine. */
export function replacedNow({ config }: Pick<Ctx, "config">, asOf: number | undefined) {
  if (asOf === undefined || config.environment === "local") return asOf;
  const detail = "as_of is for local development; leave it out";
  const errors = [{ path: "as_of", code: "not_local", detail }];
  throw new AppError("unprocessable", detail, { errors });
}
