import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { OnlineState } from "../../../src/features/online-store.ts";
import {
  decodeMeta,
  decodeOnlineState,
  encodeMeta,
  encodeOnlineState,
  stateKey,
} from "../../../src/platform/upstash/online-values.ts";

const version = fc.maxSafeNat();
const state: fc.Arbitrary<OnlineState> = fc.oneof(
  fc.record({ kind: fc.constant("state" as const), version, bytes: fc.base64String() }),
  fc.record({ kind: fc.constant("erased" as const), version }),
);

describe("texts of the online store", () => {
  it("give back every state", () => {
    fc.assert(
      fc.property(state, (one) => {
        expect(decodeOnlineState(encodeOnlineState(one))).toEqual(one);
      }),
    );
  });

  it("are never a state when they are cut short or longer than one", () => {
    const bytes = fc.base64String({ minLength: 4 });
    fc.assert(
      fc.property(version, bytes, fc.nat(), (v, b, cut) => {
        const text = encodeOnlineState({ kind: "state", version: v, bytes: b });
        const part = text.slice(0, cut % text.length);
        // What is left of the base64 may by chance have a whole number of groups.
        fc.pre(!/^\d+:s(....)*$/.test(part));
        expect(() => decodeOnlineState(part)).toThrow("online store");
      }),
    );
    expect(() => decodeOnlineState("7:x ")).toThrow("online store");
    expect(() => decodeOnlineState(7)).toThrow("online store");
    expect(() => decodeOnlineState(null)).toThrow("online store");
  });

  it("hold the meta with its revision first", () => {
    const meta = {
      generation: "gen_a",
      revision: 12,
      views: { spend: { h: 3 } },
      revokedKeys: ["k"],
    };
    expect(encodeMeta(meta)).toMatch(/^\{"revision":12,/);
    expect(decodeMeta(encodeMeta(meta))).toEqual(meta);
  });

  it("are ASCII, whatever the base64", () => {
    const keys = stateKey({ tenant: "acme", stateId: "spend@1f", key: "a:b" });
    expect(keys).toBe("fr:acme:s:spend@1f:a:b");
    fc.assert(fc.property(state, (one) => /^[ -~]+$/.test(encodeOnlineState(one))));
  });
});
