import { describe, expect, it } from "vitest";
import { cronMatches } from "../../../local/cron.ts";

/** A Sunday. */
const at = (time: string): number => Date.parse(`2026-11-22T${time}Z`);

describe("cronMatches", () => {
  it.each([
    ["* * * * *", "03:17:00", true],
    ["*/15 * * * *", "03:30:00", true],
    ["*/15 * * * *", "03:31:00", false],
    ["5,35 3-4 * * *", "04:35:00", true],
    ["5,35 3-4 * * *", "05:35:00", false],
    ["10-20/5 * * * *", "00:15:00", true],
    ["10-20/5 * * * *", "00:25:00", false],
    ["7/20 * * * *", "00:47:00", true],
    ["0 3 22 11 *", "03:00:59", true],
    ["0 3 22 12 *", "03:00:00", false],
    ["0 3 * * 1", "03:00:00", true],
    ["0 3 * * 2-7", "03:00:00", false],
  ])("finds that %s at %s: %s", (cron, time, expected) => {
    expect(cronMatches(cron, at(time))).toBe(expected);
  });

  it.each(["* * * *", "* * * * MON", "0 0 L * *", "a * * * *"])("refuses %s", (cron) => {
    expect(() => cronMatches(cron, at("00:00:00"))).toThrow(RangeError);
  });
});
