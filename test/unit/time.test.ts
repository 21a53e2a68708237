import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  ceilTo,
  DAY_MS,
  durationMs,
  floorTo,
  parseInstant,
  type Duration,
} from "../../src/time.ts";

const instant = (value: string | number): number | string => {
  const parsed = parseInstant(value);
  return parsed.ok ? parsed.value : parsed.error;
};

describe("an instant", () => {
  it.each<readonly [string, number]>([
    ["2026-01-31T12:00:00Z", Date.UTC(2026, 0, 31, 12)],
    ["2026-01-31t12:00:00z", Date.UTC(2026, 0, 31, 12)],
    ["2026-01-31 12:00Z", Date.UTC(2026, 0, 31, 12)],
    ["2026-01-31T12:00:00+05:30", Date.UTC(2026, 0, 31, 6, 30)],
    ["2026-01-31T12:00:00-00:00", Date.UTC(2026, 0, 31, 12)],
    ["2024-02-29T00:00:00Z", Date.UTC(2024, 1, 29)],
    ["2000-02-29T00:00:00Z", Date.UTC(2000, 1, 29)],
    ["2026-01-31T24:00:00Z", Date.UTC(2026, 1, 1)],
    ["0000-02-29T00:00:00Z", -62_162_121_600_000],
    ["9999-12-31T23:59:59.999Z", 253_402_300_799_999],
  ])("is read from %s", (text, expected) => {
    expect(instant(text)).toBe(expected);
  });

  it.each([
    "2026-02-30T00:00:00Z",
    "2026-02-29T00:00:00Z",
    "1900-02-29T00:00:00Z",
    "2026-04-31T00:00:00Z",
    "2026-01-32T00:00:00Z",
    "2026-00-10T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-01-01T24:00:00.5Z",
    "2026-01-01T24:00:01Z",
    "2026-01-01T25:00:00Z",
    "2026-01-01T10:60:00Z",
    "2016-12-31T23:59:60Z",
    "2026-01-01T10:00:00+24:00",
    "2026-01-01T10:00:00+05:60",
  ])("is refused where there is none: %s", (text) => {
    expect(instant(text)).toBe("no such date or time");
  });

  it.each([
    "2026-01-31T12:00:00",
    "2026-01-31",
    "12:00:00Z",
    "2026-1-31T12:00:00Z",
    "+002026-01-31T12:00:00Z",
    "2026-01-31T12:00:00 Z",
    "2026-01-31T12:00:00Z\n",
    "2026-01-31T12:00:00+0100",
    "２０２６-01-31T12:00:00Z",
    "1795324745202",
    "",
  ])("is refused where the text is no date-time with offset: %j", (text) => {
    expect(instant(text)).toMatch(/^expected an ISO 8601 date-time with offset/);
  });

  it("floors fractions, before 1970 too", () => {
    expect(instant("2026-01-31T12:00:00.0009Z")).toBe(Date.UTC(2026, 0, 31, 12));
    expect(instant("2026-01-31T12:00:00.123456789123Z")).toBe(Date.UTC(2026, 0, 31, 12) + 123);
    expect(instant("1969-12-31T23:59:59.9999Z")).toBe(-1);
    expect(instant("1969-12-31T23:59:59.0001Z")).toBe(-1_000);
  });

  it("is whole epoch milliseconds of the years 0000 to 9999, as a number", () => {
    expect(instant(-62_167_219_200_000)).toBe(-62_167_219_200_000);
    expect(instant(0)).toBe(0);
    for (const value of [1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(instant(value)).toBe("expected whole epoch milliseconds");
    }
    // A state could not keep these; microseconds by mistake are among them.
    for (const value of [-Number.MAX_SAFE_INTEGER, 1_795_324_745_202_000, 253_402_300_800_000]) {
      expect(instant(value)).toMatch(/within the years 0000 to 9999/);
    }
    expect(instant("9999-12-31T23:59:59-01:00")).toMatch(/within the years/);
  });

  it("is what it was written from, for every instant", () => {
    fc.assert(
      fc.property(
        fc.date({
          min: new Date(-62_167_219_200_000),
          max: new Date(253_402_300_799_999),
          noInvalidDate: true,
        }),
        (date) => {
          expect(instant(date.toISOString())).toBe(date.getTime());
          expect(instant(date.getTime())).toBe(date.getTime());
        },
      ),
    );
  });
});

describe("a duration", () => {
  it("is a whole number and a unit", () => {
    expect(durationMs("30s")).toBe(30_000);
    expect(durationMs("7d")).toBe(7 * DAY_MS);
    for (const text of ["0d", "-1d", "1.5h", "1w", "d", "1e3s", "1234567d"] as Duration[]) {
      expect(() => durationMs(text)).toThrow(/is no duration: write a whole number/);
    }
  });
});

describe("rounding to a grid", () => {
  it("goes down and up, whatever the sign", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -(10 ** 14), max: 10 ** 14 }),
        fc.constantFrom(1_000, 300_000, DAY_MS),
        (t, size) => {
          expect(floorTo(t, size)).toBeLessThanOrEqual(t);
          expect(t - floorTo(t, size)).toBeLessThan(size);
          expect(ceilTo(t, size) - floorTo(t, size)).toBe(t % size === 0 ? 0 : size);
        },
      ),
    );
  });
});
