import type { Result } from "../result.ts";
import { maskRecord, tokenise, type MaskedField } from "./mask.ts";
import { open, seal, type OpenRefusal } from "./seal.ts";
import { tenantKey } from "./tenant-keys.ts";

/** What a deployment's encryption secret can do for its tenants. */
export interface Vault {
  /** The token of a personal value (governance/mask.ts). */
  token(tenant: string, field: Pick<MaskedField, "name" | "email">, value: string): Promise<string>;
  /** A copy of a record in which tagged fields are their tokens, or gone (governance/mask.ts). */
  mask(
    tenant: string,
    record: Readonly<Record<string, unknown>>,
    fields: readonly MaskedField[],
  ): Promise<Record<string, unknown>>;
  /** Seals text for the quarantine entry `id`. */
  seal(tenant: string, id: string, text: string): Promise<string>;
  open(tenant: string, id: string, sealed: string): Promise<Result<string, OpenRefusal>>;
}

/** A vault over the deployment's ENCRYPTION_SECRET; its methods throw a RangeError if it is weak. */
export function createVault(secret: string): Vault {
  const context = (tenant: string, id: string) => ({ tenant, purpose: "quarantine", id }) as const;
  return {
    async token(tenant, field, value) {
      return tokenise(await tenantKey(secret, "pii-token", tenant), field, value);
    },
    async mask(tenant, record, fields) {
      return maskRecord(record, fields, await tenantKey(secret, "pii-token", tenant));
    },
    async seal(tenant, id, text) {
      const key = await tenantKey(secret, "quarantine", tenant);
      return seal(key, context(tenant, id), new TextEncoder().encode(text));
    },
    async open(tenant, id, sealed) {
      const key = await tenantKey(secret, "quarantine", tenant);
      const opened = await open(key, context(tenant, id), sealed);
      return opened.ok ? { ok: true, value: new TextDecoder().decode(opened.value) } : opened;
    },
  };
}
