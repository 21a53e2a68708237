/** Where a request goes outside the Worker. */
export const DESTINATIONS = ["redis", "postgres", "queue", "embedder"] as const;
export type Destination = (typeof DESTINATIONS)[number];

export interface Trips {
  /** Requests made. */
  count: number;
  /** Milliseconds waited for them, added up. */
  ms: number;
}

/** The round trips of one request, the figure that decides its speed. */
export interface RoundTrips extends Readonly<Record<Destination, Readonly<Trips>>> {
  count(destination: Destination): void;
  /** The same port; the time that its methods take is added up. */
  timed<T extends object>(destination: Destination, port: T): T;
}

type Method = (...args: readonly unknown[]) => Promise<unknown>;

/** A meter at zero. `clock` is in milliseconds, of any origin. */
export function createRoundTrips(clock: () => number): RoundTrips {
  const trips = {
    redis: newTrips(),
    postgres: newTrips(),
    queue: newTrips(),
    embedder: newTrips(),
  };
  return {
    ...trips,
    count(destination) {
      trips[destination].count += 1;
    },
    timed<T extends object>(destination: Destination, port: T): T {
      const total = trips[destination];
      const timed: Record<string, Method> = {};
      for (const [name, method] of Object.entries(port) as [string, Method][]) {
        timed[name] = async (...args) => {
          const started = clock();
          try {
            return await method(...args);
          } finally {
            total.ms += clock() - started;
          }
        };
      }
      return timed as T;
    },
  };
}

const newTrips = (): Trips => ({ count: 0, ms: 0 });
