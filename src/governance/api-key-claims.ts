import { z } from "zod";
import { isExactOrigin } from "./origin.ts";
import { TENANT_NAME } from "./tenant-name.ts";

export type ApiKeyKind = "secret" | "publishable";

/** A role's name, built in or declared. */
export const ROLE_NAME = /^[a-z][a-z0-9_-]{0,62}$/;

/** A key's id, as newId("key", now) makes it. */
export const KEY_ID = /^key_[0-9a-z]{1,40}$/;

/**
 * What a key says of its holder. An unknown claim is refused, not ignored: it may narrow a key in a
 * way that only a newer version understands.
 */
export const apiKeyClaims = z
  .strictObject({
    v: z.literal(1),
    tenant: z.string().regex(TENANT_NAME),
    kid: z.string().regex(KEY_ID),
    roles: z.array(z.string().regex(ROLE_NAME)).min(1).max(16),
    /** Epoch seconds; from then on the key is refused. */
    exp: z.int().positive().exactOptional(),
    /** What people call the key. */
    name: z
      .string()
      .max(80)
      .regex(/^[^\p{Cc}\p{Cs}]+$/u)
      .exactOptional(),
    /** Makes the key publishable: the exact origins it is used from. */
    origins: z.array(z.string().refine(isExactOrigin)).min(1).max(16).exactOptional(),
  })
  .readonly();

type Frozen<T> = T extends readonly (infer I)[]
  ? readonly I[]
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

export type ApiKeyClaims = Frozen<z.output<typeof apiKeyClaims>>;

/** Pure. A key with origins is publishable: browsers show it to everybody. */
export const kindOf = (claims: ApiKeyClaims): ApiKeyKind =>
  claims.origins === undefined ? "secret" : "publishable";
