import { err, ok, type Result } from "./result.ts";

export const SECOND_MS = 1_000;
export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** A length of time in words: `30s`, `5m`, `1h`, `7d`. */
export type Duration = `${number}${"s" | "m" | "h" | "d"}`;

const UNIT_MS = { s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS } as const;

/** Pure. The milliseconds of a duration; throws a RangeError that names what it cannot read. */
export function durationMs(text: Duration): number {
  const match = /^(\d{1,6})([smhd])$/.exec(text);
  const ms = match ? Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS] : 0;
  if (ms <= 0) {
    throw new RangeError(`"${text}" is no duration: write a whole number and s, m, h or d ("7d")`);
  }
  return ms;
}

/** Pure. A length in its largest whole unit: `7d` for 604,800,000 ms. Whole seconds alone. */
export function durationText(ms: number): string {
  const units = Object.entries(UNIT_MS).toReversed();
  const [unit, size] = units.find(([, one]) => ms % one === 0) ?? ["s", SECOND_MS];
  return `${ms / size}${unit}`;
}

/** Pure. The instant in ISO 8601, UTC. */
export const instantText = (ms: number): string => new Date(ms).toISOString();

/** Pure. The largest multiple of `size` that is not above `t`; floor for negative times too. */
export const floorTo = (t: number, size: number): number => Math.floor(t / size) * size;

/** Pure. The smallest multiple of `size` that is not below `t`. */
export const ceilTo = (t: number, size: number): number => Math.ceil(t / size) * size;

const ISO_WITH_OFFSET =
  /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}:\d{2})(?::(\d{2}))?(?:\.(\d+))?([Zz]|[+-]\d{2}:\d{2})$/;

/** The years 0000 to 9999, all that ISO 8601 can name; far inside what a state can keep. */
const EARLIEST = -62_167_219_200_000;
const LATEST = 253_402_300_799_999;

/** Engines roll the 30th of February over to March; 400 years have the same leap days. */
function daysOf(year: number, month: number): number {
  const like = 2000 + (year % 400);
  return (Date.UTC(like, month, 1) - Date.UTC(like, month - 1, 1)) / DAY_MS;
}

/**
 * Pure. Epoch milliseconds of an integer or an ISO 8601 date-time with offset, fractions floored.
 * Refuses date-times without an offset: they mean a different instant on every machine.
 */
export function parseInstant(value: string | number): Result<number, string> {
  const instant = typeof value === "number" ? ok(value) : parseIso(value);
  if (!instant.ok) return instant;
  if (!Number.isSafeInteger(instant.value)) return err("expected whole epoch milliseconds");
  return instant.value >= EARLIEST && instant.value <= LATEST
    ? ok(instant.value)
    : err("expected a time within the years 0000 to 9999");
}

function parseIso(text: string): Result<number, string> {
  const match = ISO_WITH_OFFSET.exec(text);
  if (!match) return err("expected an ISO 8601 date-time with offset, as 2026-01-31T12:00:00Z");
  const [, year, month, day, clock, seconds = "00", fraction = "", offset = "Z"] = match;
  const ms = fraction.slice(0, 3).padEnd(3, "0");
  const instant = Date.parse(
    `${year}-${month}-${day}T${clock}:${seconds}.${ms}${offset.toUpperCase()}`,
  );
  const exists = !Number.isNaN(instant) && Number(day) <= daysOf(Number(year), Number(month));
  return exists ? ok(instant) : err("no such date or time");
}
