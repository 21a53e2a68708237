import { NeonDbError } from "@neondatabase/serverless";
import { describe, expect, it } from "vitest";
import { RejectedByStore } from "../../../src/features/event-log.ts";
import {
  isBrokenConstraint,
  isRolledBackRace,
  storeError,
} from "../../../src/platform/neon/store-error.ts";

function failure(code: string | undefined, message = "value 4711"): NeonDbError {
  return Object.assign(new NeonDbError(message), { code });
}

describe("what a failed statement means", () => {
  it.each(["22001", "22003", "22021", "22P02", "22P05", "23502", "23505", "54000"])(
    "is the data's fault for %s",
    (code) => expect(storeError(failure(code))).toBeInstanceOf(RejectedByStore),
  );

  it.each(["42P01", "42601", "21000", "0A000"])("is the statement's fault for %s", (code) =>
    expect(storeError(failure(code))).toMatchObject({ code: "internal" }),
  );

  it.each([
    "08006",
    "25006",
    "28P01",
    "3D000",
    "40001",
    "40P01",
    "53300",
    "55P03",
    "57014",
    "57P01",
  ])("is an outage for %s", (code) =>
    expect(storeError(failure(code))).toMatchObject({ code: "dependency_unavailable" }),
  );

  it("is an outage where there is no code", () => {
    for (const error of [failure(undefined), new TypeError("fetch failed"), "odd", undefined]) {
      expect(storeError(error)).toMatchObject({ code: "dependency_unavailable" });
    }
  });

  it("is the data's fault when the request is too large, so that smaller ones are tried", () => {
    const error = failure(undefined, "Server error (HTTP status 413): too large");
    expect(storeError(error)).toBeInstanceOf(RejectedByStore);
    const outage = failure(undefined, "Server error (HTTP status 503): too large");
    expect(storeError(outage)).toMatchObject({ code: "dependency_unavailable" });
  });

  it("names the code and never the vendor's words", () => {
    const refused = storeError(failure("23505"));
    expect(String(refused.cause)).toBe("Error: Postgres: 23505");
    expect(`${refused.message} ${String(refused.cause)}`).not.toContain("4711");
    const network = new NeonDbError("Error connecting to 4711");
    network.sourceError = new DOMException("of 4711", "TimeoutError");
    expect(String(storeError(network).cause)).toBe("Error: Postgres: TimeoutError");
  });

  it("tells a constraint from a value, and a lost race from the rest", () => {
    const refusal = (code: string): RejectedByStore => {
      const error = storeError(failure(code));
      if (error instanceof RejectedByStore) return error;
      throw new Error("not refused");
    };
    expect(isBrokenConstraint(refusal("23502"))).toBe(true);
    expect(isBrokenConstraint(refusal("22023"))).toBe(false);
    expect(["40P01", "40001", "55P03"].every((code) => isRolledBackRace(failure(code)))).toBe(true);
    expect(isRolledBackRace(failure("57014"))).toBe(false);
    expect(isRolledBackRace(new Error("40001"))).toBe(false);
  });
});
