import { describe, expect, it } from "vitest";
import { createBoundedCache } from "../../../src/governance/bounded-cache.ts";

describe("a bounded cache", () => {
  it("forgets what was set longest ago", () => {
    const cache = createBoundedCache<number>(2);
    cache.set("a", 1);
    cache.set("b", 2);
    cache.set("a", 3);
    cache.set("c", 4);
    expect([cache.get("a"), cache.get("b"), cache.get("c")]).toEqual([3, undefined, 4]);
  });

  it("takes any text for a key", () => {
    const cache = createBoundedCache<number>(2);
    expect(cache.get("__proto__")).toBeUndefined();
    cache.set("__proto__", 1);
    expect(cache.get("__proto__")).toBe(1);
  });
});
