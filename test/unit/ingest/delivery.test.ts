import { describe, expect, it } from "vitest";
import { retryDelaySeconds } from "../../../src/ingest/delivery.ts";

describe("the delay of a retry", () => {
  it("doubles from two seconds to five minutes, and spreads by up to half", () => {
    const delays = Array.from({ length: 12 }, (_, i) => retryDelaySeconds(i + 1, 0));
    expect(delays).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300]);
    expect(retryDelaySeconds(1, 1)).toBe(3);
    expect(retryDelaySeconds(50, 0.999)).toBe(450);
  });
});
