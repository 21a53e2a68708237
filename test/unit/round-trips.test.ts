import { describe, expect, it } from "vitest";
import { createRoundTrips } from "../../src/round-trips.ts";

describe("createRoundTrips", () => {
  it("adds up the time that a port's methods take, failed ones too", async () => {
    let clock = 0;
    const trips = createRoundTrips(() => clock);
    const port = trips.timed("redis", {
      async read(ms: number) {
        trips.count("redis");
        clock += ms;
        return ms;
      },
      async fail() {
        clock += 3;
        throw new Error("down");
      },
    });
    expect(await port.read(2)).toBe(2);
    await expect(port.fail()).rejects.toThrow("down");
    expect(trips.redis).toEqual({ count: 1, ms: 5 });
    expect(trips.postgres).toEqual({ count: 0, ms: 0 });
  });
});
