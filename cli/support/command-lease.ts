import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { createLeaseStore } from "../../src/platform/neon/lease-store.ts";
import type { SqlClient } from "../../src/platform/neon/sql-client.ts";
import { holdLease, type HeldLease } from "./hold-lease.ts";

function holderName(): string {
  const user = process.env["USER"] ?? process.env["USERNAME"] ?? "somebody";
  return `${user}@${hostname()} (process ${process.pid})`;
}

/**
 * Takes the lease of a command on a database, as this process. Throws AppError `conflict` where
 * somebody else is at it.
 */
export const holdCommandLease = (
  client: SqlClient,
  name: string,
  tell: (line: string) => void,
): Promise<HeldLease> =>
  holdLease({
    leases: createLeaseStore(client),
    name,
    holder: holderName(),
    tell,
    sleep: (ms) => sleep(ms),
    clock: () => performance.now(),
  });

/** A lease ends by itself in half a minute; who stops a command may want to repeat it at once. */
export function releaseOnSignal(lease: HeldLease): void {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => {
      void lease.release().finally(() => process.exit(130));
    });
  }
}
