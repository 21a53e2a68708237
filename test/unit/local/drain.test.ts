import { describe, expect, it } from "vitest";
import { drain } from "../../../local/drain.ts";

describe("drain", () => {
  it("waits for the queue, for what is being handled and for silence", async () => {
    const backlogs = [200, 100, 0];
    let looks = 0;
    let requests = 0;
    const left = await drain(
      {
        backlog: async () => backlogs[looks++] ?? 0,
        // The last batch is taken from the queue, and asks the stores a while later.
        active: () => (looks < 8 ? 1 : 0),
        requests: () => (looks < 6 ? ++requests : requests),
      },
      5_000,
    );
    expect(left).toBe(0);
    expect(looks).toBeGreaterThan(12);
  });

  it("gives up after the time it has, and says what is left", async () => {
    const stuck = { backlog: async () => 7, active: () => 0, requests: () => 0 };
    expect(await drain(stuck, 120)).toBe(7);
  });
});
