import type { Chunking } from "./define.ts";
import { CUT, findCuts, type TextCuts } from "./text-cuts.ts";

/**
 * Pure. The chunks of a text, in order: verbatim slices that do not overlap and leave out nothing
 * but white space around them. `"none"`: the text itself. Otherwise at most so many estimated tokens
 * each (a Chinese, Japanese or Korean character is one, any other a quarter), cut at the strongest
 * boundary in the second half of what fits: before a heading, which stays with what follows it; at
 * a blank line, a line's end, a sentence's, a word's. Code, tables and lists that fit stay whole.
 *
 * A change leaves the chunks as they are that begin more than 2¼ times the size before it: each cut
 * is decided by what is at most one chunk away, and by blocks that begin there.
 */
export function splitText(text: string, chunking: Chunking): readonly string[] {
  if (chunking === "none" || text.trim() === "") return [chunking === "none" ? text : ""];
  const budget = chunking.tokens * QUARTERS;
  const end = text.trimEnd().length;
  const found = findCuts(text, budget);
  const chunks: string[] = [];
  for (let from = afterSpace(text, 0); from < end;) {
    const to = nextCut(found, from, end, budget);
    chunks.push(text.slice(from, to).trimEnd());
    from = afterSpace(text, to);
  }
  return chunks;
}

const QUARTERS = 4;

const NOT_SPACE = /\S/g;

function afterSpace(text: string, at: number): number {
  NOT_SPACE.lastIndex = at;
  return NOT_SPACE.exec(text)?.index ?? text.length;
}

function nextCut({ sizes, cuts }: TextCuts, from: number, end: number, budget: number): number {
  const before = sizes[from] ?? 0;
  const rest = (sizes[end] ?? 0) - before;
  if (rest <= budget) return end;
  // Of what nearly fits, a quarter of a chunk is left for the last one.
  const nearlyFits = rest < budget * 1.25;
  const most = nearlyFits ? rest - budget / 4 : budget;
  const least = Math.max(budget / 8, nearlyFits ? rest - budget : 0);

  let best = from;
  let limit = from;
  const early = { line: from, word: from, inside: from };
  for (let at = from + 1; (sizes[at] ?? 0) - before <= most; at += 1) {
    limit = at;
    const size = (sizes[at] ?? 0) - before;
    const cut = cuts[at] ?? CUT.never;
    if (cut === CUT.never || size < least) continue;
    if (size >= budget / 2) {
      if (best === from || cut >= (cuts[best] ?? 0)) best = at;
    } else if (cut >= CUT.line) early.line = at;
    else if (cut >= CUT.word) early.word = at;
    else if (cut >= CUT.wordInside) early.inside = at;
  }
  const strength = best === from ? CUT.never : (cuts[best] ?? CUT.never);
  const order =
    strength >= CUT.word
      ? [best]
      : strength >= CUT.wordInside
        ? [early.line, early.word, best]
        : [early.line, early.word, early.inside, best];
  // Where no character ends, marks without end are cut.
  return order.find((at) => at > from) ?? limit;
}
