import { countVisible } from "./count-visible.ts";
import { readDemo, writeDemo, type Demo } from "./demo-file.ts";
import { generatePayments, type Load, type Payment } from "./payments.ts";
import type { ShopApi } from "./shop-api.ts";

export interface OpenedDemo {
  readonly demo: Demo;
  readonly load: Load;
  /** How many of its payments are visible already. */
  readonly visible: number;
  /**
   * `new` and `interrupted` are to be sent (again), `there` is not. `foreign`: the store holds an
   * example of which this data directory knows nothing, so that nothing can be said of it.
   */
  readonly state: "new" | "interrupted" | "there" | "foreign";
}

export interface OpenDemoOptions {
  readonly dataDir: string;
  readonly seed: string;
  readonly payments: number;
  /** Epoch ms. */
  readonly now: number;
}

/**
 * The example of this data directory: begun at its first start and the same ever since, so that
 * sending it again changes nothing.
 */
export async function openDemo(
  api: ShopApi,
  { dataDir, seed, payments, now }: OpenDemoOptions,
): Promise<OpenedDemo> {
  const kept = await readDemo(dataDir);
  const demo = kept ?? { seed, now, payments, later: [] };
  const load = generatePayments(demo);
  const visible = await countVisible(api, load.customers);
  if (kept === null) {
    if (visible > 0) return { demo, load, visible, state: "foreign" };
    await writeDemo(dataDir, demo);
    return { demo, load, visible, state: "new" };
  }
  const isThere = visible >= allPayments({ demo, load }).length;
  return { demo, load, visible, state: isThere ? "there" : "interrupted" };
}

/** Pure. Every payment of the example, once. */
export const allPayments = ({ demo, load }: Pick<OpenedDemo, "demo" | "load">): Payment[] => [
  ...load.payments,
  ...demo.later,
];
