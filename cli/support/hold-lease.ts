import { AppError } from "../../src/errors.ts";
import type { Lease, LeaseStore } from "../../src/planning/lease-store.ts";

/** How long a lease outlasts a holder that died. */
export const LEASE_MS = 30_000;
/** How often a living holder renews it. */
const RENEW_MS = 5_000;
const LOOK_MS = 1_000;

export interface HoldLeaseOptions {
  readonly leases: LeaseStore;
  readonly name: string;
  /** Who takes it, for people. */
  readonly holder: string;
  readonly tell: (line: string) => void;
  readonly sleep: (ms: number) => Promise<void>;
  /** Milliseconds of a clock that is never set. */
  readonly clock: () => number;
}

export interface HeldLease {
  /** To be awaited before every step: throws AppError `conflict` where the lease was lost. */
  hold(): Promise<void>;
  release(): Promise<void>;
}

const heldBy = (name: string, { holder, takenAt }: Lease): string =>
  `"${name}" is being run by ${holder}, since ${new Date(takenAt).toISOString()}`;

/**
 * Takes a lease and keeps renewing it. Where somebody has it, waits until it is renewed, and then
 * throws AppError `conflict` that says who and since when; or until it expires, as its holder died.
 */
export async function holdLease(options: HoldLeaseOptions): Promise<HeldLease> {
  const { leases, name, holder, tell, sleep, clock } = options;
  const token = crypto.randomUUID();
  let first: Lease | null = null;
  for (;;) {
    const lease = await leases.take(name, token, holder, LEASE_MS);
    if (lease.token === token) break;
    if (first === null) {
      tell(`${heldBy(name, lease)}. Looking whether that still lives …`);
      first = lease;
    } else if (lease.token !== first.token || lease.renewedAt !== first.renewedAt) {
      throw new AppError("conflict", `${heldBy(name, lease)}: begin again when that has ended.`);
    }
    await sleep(LOOK_MS);
  }

  let renewedAt = clock();
  let lost = false;
  async function renew(): Promise<void> {
    const at = clock();
    if (await leases.renew(name, token, LEASE_MS)) renewedAt = at;
    else lost = true;
  }
  // Renews through long calls; what fails here is tried again by the next step.
  const timer = setInterval(() => void renew().catch(() => undefined), RENEW_MS);
  timer.unref();
  return {
    async hold() {
      if (!lost && clock() - renewedAt >= RENEW_MS) await renew();
      if (!lost) return;
      const why = "nobody had heard of this one for too long";
      throw new AppError("conflict", `"${name}" is somebody else's to run by now, as ${why}.`);
    },
    async release() {
      clearInterval(timer);
      await leases.release(name, token);
    },
  };
}
