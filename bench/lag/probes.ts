import { setTimeout as sleep } from "node:timers/promises";
import type { Caller } from "../support/http-call.ts";

/** Customers whose first payment is on its way, watched until their features show it. */
export interface Probes {
  /** The payment has been sent; `sentAt` by performance.now(). */
  watch(customerId: string, sentAt: number): void;
  /** Looks until all are visible, or for so long. Milliseconds from sending to being visible. */
  finish(timeoutMs: number): Promise<readonly number[]>;
  /** How many are not visible yet. */
  open(): number;
}

/** Between two looks: how fine the lag is measured. */
const LOOK_MS = 10;
const MOST = 1_000;

interface Answer {
  readonly results: readonly { readonly values: readonly unknown[] }[];
}

/** Reads the features of all watched customers again and again, one request at a time. */
export function startProbes(
  caller: Caller,
  url: string,
  headers: Readonly<Record<string, string>>,
): Probes {
  const sent = new Map<string, number>();
  const lags: number[] = [];
  const state: { isEnding: boolean; failed?: Error } = { isEnding: false };

  async function look(): Promise<void> {
    const ids = [...sent.keys()].slice(0, MOST);
    if (ids.length === 0) return;
    const entities = ids.map((id) => ({ customer_id: id }));
    const body = JSON.stringify({ features: ["customer_lifetime:payments"], entities });
    const { status, text } = await caller.post(`${url}/v1/features/online`, body, headers);
    if (status !== 200) throw new Error(`reading features answered ${status}: ${text}`);
    const seenAt = performance.now();
    for (const [i, { values }] of (JSON.parse(text) as Answer).results.entries()) {
      const id = ids[i] ?? "";
      if (values[0] !== 1) continue;
      lags.push(seenAt - (sent.get(id) ?? 0));
      sent.delete(id);
    }
  }
  const looking = (async () => {
    while (!state.isEnding) {
      await look();
      await sleep(LOOK_MS);
    }
  })().catch((cause: unknown) => {
    state.failed = new Error("the features of watched customers could not be read", { cause });
  });

  return {
    watch: (customerId, sentAt) => void sent.set(customerId, sentAt),
    open: () => sent.size,
    async finish(timeoutMs) {
      const deadline = performance.now() + timeoutMs;
      while (sent.size > 0 && state.failed === undefined && performance.now() < deadline) {
        await sleep(LOOK_MS);
      }
      state.isEnding = true;
      await looking;
      if (state.failed !== undefined) throw state.failed;
      return lags;
    },
  };
}
