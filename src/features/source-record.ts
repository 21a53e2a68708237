/**
 * A record of a source inside the engine, as the log keeps it: text and booleans as they are, every
 * number as canonical decimal text (features/exact.ts), vectors as lists of these, absent fields null.
 */
export type SourceRecord = Readonly<Record<string, string | boolean | readonly string[] | null>>;

/** Pure. Canonical JSON: sorted names, nulls left out; equal records give equal text. */
export function recordToText(record: SourceRecord): string {
  const names = Object.keys(record).filter((name) => record[name] !== null);
  names.sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${JSON.stringify(record[name])}`).join(",")}}`;
}

/** Pure. Reads what recordToText wrote (or a jsonb column gives back). */
export const recordFromText = (text: string): SourceRecord => JSON.parse(text) as SourceRecord;
