/** The truth about tenants and revoked keys. Each method is one statement and one round trip. */
export interface KeyStore {
  /**
   * Revokes a key, and registers its tenant where that is unknown. Idempotent: the first time
   * counts. Answers whether the key was not revoked before.
   */
  revoke(tenant: string, keyId: string, now: number): Promise<boolean>;
  /** Idempotent; a new tenant has a generation of its own. Answers whether it is new. */
  registerTenant(tenant: string, now: number): Promise<boolean>;
}
