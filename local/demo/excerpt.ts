import { columnsOf } from "./words.ts";

/** `text.slice(start, end)`. */
interface Span {
  readonly start: number;
  readonly end: number;
}

/** A word is not cut in two where that costs no more characters than this. */
const WORD = 15;

/**
 * Pure. The part of a text with most of the marked words, on one line of so many columns at most,
 * marks and … not counted; without any words its beginning.
 */
export function excerpt(
  text: string,
  words: readonly Span[],
  columns: number,
  mark: (word: string) => string,
): string {
  const line = text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]/gu, " ");
  const parts = [{ start: 0, end: 0 }, ...words].map(({ start }) => partAt(line, start, columns));
  const wordsIn = (part: Span): readonly Span[] =>
    words.flatMap(({ start, end }) =>
      start >= part.start && start < part.end ? [{ start, end: Math.min(end, part.end) }] : [],
    );
  const weight = (part: Span): number =>
    wordsIn(part).reduce((sum, { start, end }) => sum + end - start, 0);
  const [best = { start: 0, end: 0 }] = parts.toSorted((a, b) => weight(b) - weight(a));
  let shown = "";
  let at = best.start;
  for (const { start, end } of wordsIn(best)) {
    shown += line.slice(at, start) + mark(line.slice(start, end));
    at = end;
  }
  shown += line.slice(at, best.end);
  const inner = shown.replaceAll(/ +/g, " ").trim();
  return `${best.start > 0 ? "…" : ""}${inner}${best.end < line.length ? "…" : ""}`;
}

/** At most so many columns, of which a quarter is before the character at `middle`. */
function partAt(line: string, middle: number, columns: number): Span {
  const before = lastColumns(line.slice(0, middle), columns / 4);
  const space = before.length < middle ? before.indexOf(" ") : -1;
  const start = middle - before.length + space + 1;
  let [end, width] = [start, 0];
  for (const character of line.slice(start)) {
    width += columnsOf(character);
    if (width > columns) {
      const cut = line.lastIndexOf(" ", end);
      return { start, end: end - cut <= WORD && cut > middle ? cut : end };
    }
    end += character.length;
  }
  return { start, end };
}

function lastColumns(text: string, columns: number): string {
  const characters = Array.from(text);
  let from = characters.length;
  for (let left = columns; from > 0; from -= 1) {
    left -= columnsOf(characters[from - 1] ?? "");
    if (left < 0) break;
  }
  return characters.slice(from).join("");
}
