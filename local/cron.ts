const RANGES = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [1, 7],
] as const;

function fieldMatches(
  field: string,
  value: number,
  [first, last]: readonly [number, number],
): boolean {
  return field.split(",").some((item) => {
    const [, range = "*", step = "1"] = /^([*\d-]+)(?:\/(\d+))?$/.exec(item) ?? [];
    if (!/^([*\d-]+)(?:\/(\d+))?$/.test(item)) {
      throw new RangeError(`This cron field is not understood here: ${item}`);
    }
    const [from = first, to = item.includes("/") ? last : from] =
      range === "*" ? [first, last] : range.split("-").map(Number);
    return value >= from && value <= to && (value - from) % Number(step) === 0;
  });
}

/**
 * Pure. Whether a cron trigger of wrangler.toml fires in the UTC minute of `time` (epoch ms).
 * Numbers, lists, ranges and steps are understood, names and `L W #` are not; weekdays are
 * Cloudflare's, 1 for Sunday.
 *
 * @throws RangeError for a pattern that is not understood.
 */
export function cronMatches(cron: string, time: number): boolean {
  const fields = cron.trim().split(/\s+/);
  if (fields.length !== RANGES.length) throw new RangeError(`Not a cron pattern: ${cron}`);
  const date = new Date(time);
  const values = [
    date.getUTCMinutes(),
    date.getUTCHours(),
    date.getUTCDate(),
    date.getUTCMonth() + 1,
    date.getUTCDay() + 1,
  ];
  return RANGES.every((range, i) => fieldMatches(fields[i] ?? "", values[i] ?? 0, range));
}
