import { AppError } from "../errors.ts";
import { kindOf } from "./api-key-claims.ts";
import { MAX_KEY_LENGTH, verifyApiKey } from "./api-key.ts";
import { isFromAllowedOrigin } from "./policy.ts";
import type { Principal } from "./principal.ts";

/** The parts of a request that say who asks. */
export interface Credentials {
  readonly authorization: string | null;
  readonly origin: string | null;
  /** Epoch ms. */
  readonly now: number;
}

export interface IdentityContext {
  /** Signing secrets, the current one first. */
  readonly secrets: readonly string[];
  readonly revoked: (tenant: string, keyId: string) => boolean;
}

const INVALID = "The API key is not valid.";

// The colon is Debezium Server's: its HTTP sink sends "Bearer: <token>".
const BEARER = /^bearer:? +(\S+) *$/i;

/**
 * Who a request comes from, without a round trip. Throws AppError `unauthorized` when there is no
 * key, or one that is forged, expired, revoked, or publishable and used elsewhere than from its
 * origins. That a key has expired, or which origin is wrong, is said only to who holds a signed key.
 */
export async function identify(
  { authorization, origin, now }: Credentials,
  { secrets, revoked }: IdentityContext,
): Promise<Principal> {
  if (authorization === null || authorization === "") {
    throw new AppError("unauthorized", "Send an API key: Authorization: Bearer fr_live_…");
  }
  const short = authorization.length <= MAX_KEY_LENGTH + 64;
  const token = short ? BEARER.exec(authorization)?.[1] : undefined;
  if (token === undefined) {
    throw new AppError("unauthorized", "Expected one API key: Authorization: Bearer fr_live_…");
  }
  const verified = await verifyApiKey(secrets, token, now);
  if (!verified.ok) {
    const expired = verified.error === "expired";
    throw new AppError("unauthorized", expired ? "The API key has expired." : INVALID);
  }
  const claims = verified.value;
  if (revoked(claims.tenant, claims.kid)) throw new AppError("unauthorized", INVALID);
  const principal: Principal = {
    kind: kindOf(claims),
    tenant: claims.tenant,
    keyId: claims.kid,
    name: claims.name ?? null,
    roles: claims.roles,
    origins: claims.origins ?? null,
    origin,
  };
  if (!isFromAllowedOrigin(principal)) {
    throw new AppError(
      "unauthorized",
      "This publishable key works only in a browser, on the origins it was made for.",
    );
  }
  return principal;
}
