import type { Load } from "./payments.ts";
import { describeTrips } from "./server-timing.ts";
import type { OnlineAnswer, ShopApi, Timed } from "./shop-api.ts";
import { duration, grouped, percentile } from "./words.ts";

/** One kind of call, and how each call of it went. */
export interface Measured {
  readonly name: string;
  readonly calls: readonly Timed<unknown>[];
}

/** The first calls pay for connections and compilation. */
const WARM_UP = 20;

async function repeat(
  name: string,
  times: number,
  call: (i: number) => Promise<Timed<OnlineAnswer>>,
): Promise<Measured> {
  const calls: Timed<OnlineAnswer>[] = [];
  for (let i = 0; i < WARM_UP + times; i += 1) calls.push(await call(i));
  return { name, calls: calls.slice(WARM_UP) };
}

/** Reads features again and again, one call after another; of many entities half as often. */
export async function measureReads(
  api: ShopApi,
  load: Load,
  times: number,
): Promise<readonly Measured[]> {
  const customer = (i: number): string => load.customers[i % load.customers.length] ?? "";
  const merchant = (i: number): string => load.merchants[i % load.merchants.length] ?? "";
  const hundred = (i: number) =>
    Array.from({ length: 100 }, (_, j) => ({
      customer_id: customer(i + j),
      merchant_id: merchant(i + j),
    }));
  return [
    await repeat("read 1 customer, 1 view", times, (i) =>
      api.readOne("customer_spend", customer(i)),
    ),
    await repeat("read 100 customers and merchants, 3 views", Math.ceil(times / 2), (i) =>
      api.read({
        features: ["customer_spend", "customer_lifetime", "merchant_activity"],
        entities: hundred(i),
      }),
    ),
  ];
}

/** Pure. A table of calls: how often, p50, p95, round trips. */
export const measuredRows = (measured: readonly Measured[]): readonly (readonly string[])[] => [
  ["", "calls", "p50", "p95", "round trips of a call"],
  ...measured.map(({ name, calls }) => {
    const times = calls.map(({ ms }) => ms);
    return [
      name,
      grouped(calls.length),
      duration(percentile(times, 0.5)),
      duration(percentile(times, 0.95)),
      describeTrips(calls.map(({ trips }) => trips)),
    ];
  }),
];
