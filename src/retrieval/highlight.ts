import { analyse } from "./analyse.ts";
import type { Language } from "./define.ts";

/** `text.slice(start, end)`, in UTF-16 units. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Pure. Where the text matches any of the terms, in order; spans that touch or overlap are one, as
 * the pairs of a CJK word. `terms` are those of the query, analysed in the same language.
 */
export function highlight(
  text: string,
  terms: ReadonlySet<string>,
  language: Language,
): readonly Span[] {
  const spans: Span[] = [];
  for (const { term, start, end } of analyse(text, language)) {
    if (!terms.has(term)) continue;
    const last = spans.at(-1);
    if (last === undefined || start > last.end) spans.push({ start, end });
    else spans[spans.length - 1] = { start: last.start, end: Math.max(last.end, end) };
  }
  return spans;
}
