/** Pure. `12,345` */
export const numberText = (value: number): string => value.toLocaleString("en-GB");

/** Pure. `1 event`, `12,345 events` */
export const counted = (count: number, one: string, many: string): string =>
  `${numberText(count)} ${count === 1 ? one : many}`;

/** Pure. `1 s`, `3 min`, `2.5 h` */
export function durationText(seconds: number): string {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3_600).toFixed(1)} h`;
}
