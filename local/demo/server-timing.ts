/** How many calls the Worker made to each store for one request. */
export type RoundTrips = ReadonlyMap<string, number>;

const STORES = ["redis", "postgres", "queue", "embedder"];

/**
 * Pure. The stores' entries of a Server-Timing header, whose `desc` is the number of calls:
 * `redis;desc="1";dur=0.8, total;dur=1.9`. Empty without a header.
 */
export function readServerTiming(header: string | null): RoundTrips {
  const trips = new Map<string, number>();
  for (const entry of header?.split(",") ?? []) {
    const [name = "", ...parameters] = entry.split(";").map((part) => part.trim());
    const description = parameters.find((parameter) => parameter.startsWith("desc="));
    const calls = /^desc="?(\d+)"?$/.exec(description ?? "")?.[1];
    if (STORES.includes(name) && calls !== undefined) trips.set(name, Number(calls));
  }
  return trips;
}

/** Pure. The round trips of several calls: "1 Redis", "1 queue, 2–4 Redis". */
export function describeTrips(calls: readonly RoundTrips[]): string {
  const names: readonly (readonly [string, string])[] = [
    ["queue", "queue"],
    ["redis", "Redis"],
    ["postgres", "Postgres"],
    ["embedder", "embedder"],
  ];
  if (calls.every((trips) => trips.size === 0)) return "not reported";
  const parts = names.flatMap(([store, label]) => {
    const counts = calls.map((trips) => trips.get(store) ?? 0);
    const [least, most] = [Math.min(...counts), Math.max(...counts)];
    if (most === 0) return [];
    return [`${least === most ? most : `${least}–${most}`} ${label}`];
  });
  return parts.length === 0 ? "none" : parts.join(", ");
}
