/** Pure. A count as people write it: 6,000. */
export const grouped = (n: number): string => n.toLocaleString("en-US");

/** Pure. A length of time with its unit: "0.8 ms", "48 ms", "2.1 s". */
export function duration(ms: number): string {
  if (ms >= 999.5) return `${(ms / 1_000).toFixed(1)} s`;
  return ms < 9.95 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

/** Pure. The smallest value that a share `p` of the values do not exceed; NaN where there is none. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(p * sorted.length) - 1)] ?? Number.NaN;
}

/** Of two columns each in a terminal: Chinese, Japanese, Korean, full-width forms, emoji. */
const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Emoji_Presentation}\u3000-\u30ff\uff01-\uff60]/u;

/** Pure. How many columns of a terminal a text takes. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const character of text) columns += WIDE.test(character) ? 2 : 1;
  return columns;
}

/** Pure. Rows as lines with aligned columns, indented by two; rows may differ in length. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, columnsOf(cell));
  }
  const padded = (cell: string, i: number): string =>
    cell + " ".repeat((widths[i] ?? 0) - columnsOf(cell));
  return rows.map((row) => `  ${row.map(padded).join("   ")}`.trimEnd());
}
