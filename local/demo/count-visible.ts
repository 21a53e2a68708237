import { setTimeout as sleep } from "node:timers/promises";
import type { ShopApi } from "./shop-api.ts";

const PAUSE_MS = 150;
const PATIENCE_MS = 60_000;
const PER_REQUEST = 1_000;

/** How many payments of these customers the features show. */
export async function countVisible(api: ShopApi, customers: readonly string[]): Promise<number> {
  let visible = 0;
  for (let i = 0; i < customers.length; i += PER_REQUEST) {
    const { answer } = await api.read({
      features: ["customer_lifetime:payments"],
      entities: customers.slice(i, i + PER_REQUEST).map((id) => ({ customer_id: id })),
    });
    visible += answer.results.reduce((sum, { values }) => sum + Number(values[0]), 0);
  }
  return visible;
}

/**
 * Waits until so many payments are visible; answers how many are. `onCount` hears of each look.
 * Throws where a minute brings no more of them.
 */
export async function waitUntilVisible(
  api: ShopApi,
  customers: readonly string[],
  expected: number,
  onCount: (visible: number) => void,
): Promise<number> {
  let most = -1;
  let since = performance.now();
  for (;;) {
    const visible = await countVisible(api, customers);
    onCount(visible);
    if (visible >= expected) return visible;
    if (visible > most) {
      most = visible;
      since = performance.now();
    } else if (performance.now() - since > PATIENCE_MS) {
      throw new Error(
        `${visible} of ${expected} payments are visible, and in a minute no more have come`,
      );
    }
    await sleep(PAUSE_MS);
  }
}
