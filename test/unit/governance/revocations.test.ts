import { describe, expect, it } from "vitest";
import { createRevocations, REVOCATION_DELAY_MS } from "../../../src/governance/revocations.ts";

const NOW = 1_795_324_745_202;

describe("what an isolate knows of revoked keys", () => {
  it("is nothing at first, and stale", () => {
    const revocations = createRevocations();
    expect(revocations.isRevoked("acme", "key_1")).toBe(false);
    expect(revocations.isStale("acme", NOW)).toBe(true);
    expect(revocations.ageMs("acme", NOW)).toBe(Number.POSITIVE_INFINITY);
  });

  it("is what the tenant's meta key said last", () => {
    const revocations = createRevocations();
    revocations.noteMeta("acme", ["key_1", "key_2"], NOW);
    expect(revocations.isRevoked("acme", "key_1")).toBe(true);
    expect(revocations.isRevoked("acme", "key_3")).toBe(false);
    expect(revocations.isRevoked("globex", "key_1")).toBe(false);
    revocations.noteMeta("acme", ["key_3"], NOW + 1);
    expect(revocations.isRevoked("acme", "key_1")).toBe(false);
    expect(revocations.isRevoked("acme", "key_3")).toBe(true);
  });

  it("is not undone by an answer that was overtaken", () => {
    const revocations = createRevocations();
    revocations.noteMeta("acme", ["key_1"], NOW);
    revocations.noteMeta("acme", [], NOW - 1);
    expect(revocations.isRevoked("acme", "key_1")).toBe(true);
    expect(revocations.ageMs("acme", NOW)).toBe(0);
  });

  it("is renewed in time for the stated delay", () => {
    const revocations = createRevocations();
    revocations.noteMeta("acme", [], NOW);
    expect(revocations.isStale("acme", NOW + REVOCATION_DELAY_MS / 2 - 1)).toBe(false);
    expect(revocations.isStale("acme", NOW + REVOCATION_DELAY_MS / 2)).toBe(true);
    expect(revocations.ageMs("acme", NOW + 100)).toBe(100);
  });

  it("is renewed by one caller a second, until it succeeds", () => {
    const revocations = createRevocations();
    const claims = [0, 0, 999, 1_000, 1_500].map((ms) =>
      revocations.claimRenewal("acme", NOW + ms),
    );
    expect(claims).toEqual([true, false, false, true, false]);
    expect(revocations.claimRenewal("globex", NOW)).toBe(true);
    revocations.noteMeta("acme", [], NOW + 1_500);
    expect(revocations.claimRenewal("acme", NOW + 5_000)).toBe(false);
  });

  it("is bounded: the tenant heard of longest ago is forgotten and stale", () => {
    const revocations = createRevocations(2);
    revocations.noteMeta("a", ["key_1"], NOW);
    revocations.noteMeta("b", ["key_1"], NOW);
    revocations.noteMeta("a", ["key_1"], NOW + 1);
    revocations.noteMeta("__proto__", ["key_1"], NOW + 2);
    expect(["a", "b", "__proto__"].map((tenant) => revocations.isRevoked(tenant, "key_1"))).toEqual(
      [true, false, true],
    );
    expect(revocations.isStale("b", NOW + 2)).toBe(true);
  });
});
