import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

/** What the stores' process has done so far. */
export interface Meters {
  readonly requests: { readonly postgres: number; readonly redis: number };
  readonly cpuUs: number;
}

interface Addresses {
  readonly connectionString: string;
  readonly sqlUrl: string;
  readonly redisUrl: string;
  readonly redisToken: string;
  /** Whether Postgres is a server, and not the embedded one. */
  readonly isServer: boolean;
  /** A sentence that says what the numbers are for. */
  readonly description: string;
}

/** What stores-process.ts says. */
export type FromStores =
  | ({ readonly kind: "ready" } & Addresses)
  | { readonly kind: "meters"; readonly meters: Meters }
  | { readonly kind: "failed"; readonly why: string };

/** What it is told; it answers each with its meters. */
export type ToStores =
  | { readonly kind: "meters" }
  | { readonly kind: "delay"; readonly ms: number };

/** Stores of a benchmark's own, empty and migrated, behind façades in a process of their own. */
export interface Stores extends Addresses {
  readMeters(): Promise<Meters>;
  /** Holds every request from now on for so long, as if the stores were that far away. */
  moveAway(roundTripMs: number): Promise<void>;
  /** Drops everything again. */
  close(): Promise<void>;
}

/** Opens empty stores for one benchmark: real ones where the machine has them. */
export async function openStores(): Promise<Stores> {
  const child = fork(join(import.meta.dirname, "stores-process.ts"));
  const exited = once(child, "exit");
  const hear = async (): Promise<FromStores> => {
    const ended = exited.then((): FromStores => ({ kind: "failed", why: "it has ended" }));
    const heard = once(child, "message").then(([message]) => message as FromStores);
    return Promise.race([heard, ended]);
  };
  const close = async (): Promise<void> => {
    if (child.connected) child.disconnect();
    await exited;
  };
  const first = await hear();
  if (first.kind !== "ready") {
    await close();
    throw new Error(first.kind === "failed" ? first.why : "the stores could not be opened");
  }
  const ask = async (message: ToStores): Promise<Meters> => {
    child.send(message);
    const answer = await hear();
    if (answer.kind !== "meters") throw new Error("the stores have ended");
    return answer.meters;
  };
  return {
    ...first,
    readMeters: () => ask({ kind: "meters" }),
    moveAway: async (ms) => void (await ask({ kind: "delay", ms })),
    close,
  };
}
