import type { ApiKeyKind } from "./api-key-claims.ts";

/** Who asks: what the credential says, and the attributes of the request that can narrow it. */
export interface Principal {
  readonly kind: ApiKeyKind;
  readonly tenant: string;
  readonly keyId: string;
  readonly name: string | null;
  readonly roles: readonly string[];
  /** Where the credential may be used from; null where that is not limited. */
  readonly origins: readonly string[] | null;
  /** The Origin header of the request. */
  readonly origin: string | null;
}
