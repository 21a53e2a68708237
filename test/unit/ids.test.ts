import { describe, expect, it } from "vitest";
import { newId, stableId } from "../../src/ids.ts";

describe("an id", () => {
  it("has its prefix and 26 characters of Crockford base 32", () => {
    expect(newId("evt", 1_795_324_745_202)).toMatch(/^evt_[0-9a-hjkmnp-tv-z]{26}$/);
  });

  it("sorts by time", () => {
    const times = [0, 1, 31, 32, 1_795_324_745_202, 1_795_324_745_203, 2 ** 48 - 1];
    const ids = times.map((time) => newId("qrt", time));
    expect(ids.toSorted()).toEqual(ids);
  });

  it("is another one each time, even within a millisecond", () => {
    const ids = Array.from({ length: 1_000 }, () => newId("req", 5));
    expect(new Set(ids).size).toBe(1_000);
  });

  it("is stable where it is made of a time and a seed, and sorts among the others", () => {
    const seed = "00112233445566778899aabbccddeeff";
    expect(stableId("qrt", 7, seed)).toBe(stableId("qrt", 7, seed));
    expect(stableId("qrt", 7, seed)).not.toBe(stableId("qrt", 8, seed));
    expect(stableId("qrt", 7, seed)).not.toBe(stableId("qrt", 7, seed.replace("00", "01")));
    expect(stableId("qrt", 7, seed) < newId("qrt", 8)).toBe(true);
    expect(stableId("qrt", 7, seed)).toMatch(/^qrt_[0-9a-z]{26}$/);
  });
});
