import { describe, expect, it } from "vitest";
import { describeTrips, readServerTiming } from "../../../local/demo/server-timing.ts";

describe("readServerTiming", () => {
  it("reads how often each store was called", () => {
    const header = 'redis;dur=0.8;desc="2", postgres;desc=0;dur=0, total;dur=3.1;desc="9"';
    expect([...readServerTiming(header)]).toEqual([
      ["redis", 2],
      ["postgres", 0],
    ]);
  });

  it.each([null, "", "total;dur=1", 'redis;dur=1;desc="cache hit"', ";;,,"])(
    "knows nothing where %j says nothing",
    (header) => {
      expect(readServerTiming(header).size).toBe(0);
    },
  );
});

describe("describeTrips", () => {
  const trips = (header: string) => readServerTiming(header);

  it("says a number where all calls agree, and a range where they do not", () => {
    expect(describeTrips([trips("redis;desc=1"), trips("redis;desc=1")])).toBe("1 Redis");
    expect(describeTrips([trips("redis;desc=2, queue;desc=1"), trips("queue;desc=1")])).toBe(
      "1 queue, 0–2 Redis",
    );
    expect(describeTrips([trips("embedder;desc=1, postgres;desc=1")])).toBe(
      "1 Postgres, 1 embedder",
    );
    expect(describeTrips([trips("embedder;desc=1, postgres;desc=1")])).toBe(
      "1 Postgres, 1 embedder",
    );
  });

  it("tells none from not reported", () => {
    expect(describeTrips([trips("redis;desc=0, postgres;desc=0")])).toBe("none");
    expect(describeTrips([trips("total;dur=1")])).toBe("not reported");
  });
});
