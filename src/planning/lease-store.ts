/** Who has something to themselves, and for how long. Times are the store's, in epoch ms. */
export interface Lease {
  /** Made up by who took it; nobody else knows it beforehand. */
  readonly token: string;
  /** Who that is, for people. */
  readonly holder: string;
  readonly takenAt: number;
  readonly renewedAt: number;
  readonly expiresAt: number;
}

/**
 * Port: leases, of which each has at most one holder at a time. One that is not renewed ends by
 * itself, by the store's clock, so that a holder that died is in nobody's way for long.
 */
export interface LeaseStore {
  /** Takes a lease that is free, expired or one's own; answers who has it then. */
  take(name: string, token: string, holder: string, ttlMs: number): Promise<Lease>;
  /** Whether it was still one's own, and so lasts for another `ttlMs`. */
  renew(name: string, token: string, ttlMs: number): Promise<boolean>;
  /** Gives it back, if it is still one's own. */
  release(name: string, token: string): Promise<void>;
}
