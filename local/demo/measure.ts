import { fraud } from "../../definitions/models.ts";
import type { Timed } from "./client.ts";
import type { HelpApi, HelpDocument } from "./help-api.ts";
import type { Load } from "./payments.ts";
import { describeTrips } from "./server-timing.ts";
import type { ShopApi } from "./shop-api.ts";
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
  call: (i: number) => Promise<Timed<unknown>>,
): Promise<Measured> {
  const calls: Timed<unknown>[] = [];
  const warmUp = Math.min(WARM_UP, times);
  for (let i = 0; i < warmUp + times; i += 1) calls.push(await call(i));
  return { name, calls: calls.slice(warmUp) };
}

const HUNDRED = Array.from({ length: 100 }, (_, i) => i);

/** Reads features and predicts again and again, one call after another; many at once half as often. */
export async function measureReads(
  api: ShopApi,
  load: Load,
  times: number,
): Promise<readonly Measured[]> {
  const customer = (i: number): string => load.customers[i % load.customers.length] ?? "";
  const merchant = (i: number): string => load.merchants[i % load.merchants.length] ?? "";
  const predict = (customers: readonly string[]) =>
    api.predict(fraud.name, {
      entities: customers.map((id) => ({ customer_id: id })),
      request: customers.map(() => ({ amount: 49.9, country: "DE" })),
    });
  const half = Math.ceil(times / 2);
  return [
    await repeat("read 1 customer, 1 view", times, (i) =>
      api.readOne("customer_spend", customer(i)),
    ),
    await repeat("read 100 customers and merchants, 3 views", half, (i) =>
      api.read({
        features: ["customer_spend", "customer_lifetime", "merchant_activity"],
        entities: HUNDRED.map((j) => ({
          customer_id: customer(i + j),
          merchant_id: merchant(i + j),
        })),
      }),
    ),
    await repeat("predict for 1 payment", times, (i) => predict([customer(i)])),
    await repeat("predict for 100 payments", half, (i) =>
      predict(HUNDRED.map((j) => customer(i + j))),
    ),
  ];
}

/** Searches for the documents' titles, and puts a document of its own that is gone at the end. */
export async function measureSearches(
  api: HelpApi,
  documents: readonly HelpDocument[],
  times: number,
): Promise<readonly Measured[]> {
  const search = (i: number, mode: "hybrid" | "keyword") =>
    api.search({ query: documents[i % documents.length]?.title ?? "", mode });
  const sample = documents.find(({ topic }) => topic !== "freshet") ?? documents[0];
  const measured = [
    await repeat("search by words and vectors", times, (i) => search(i, "hybrid")),
    await repeat("search by words", times, (i) => search(i, "keyword")),
  ];
  if (sample === undefined) return measured;
  const id = "measured";
  try {
    const put = await repeat("put 1 document", Math.ceil(times / 4), (i) =>
      api.put({ ...sample, id, body: `${sample.body}\n\n${i}` }),
    );
    return [...measured, put];
  } finally {
    await api.remove(id);
  }
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
