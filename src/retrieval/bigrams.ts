import type { Word } from "./words.ts";

/** What terms are written without: variation selectors, joiners, soft hyphens, direction marks. */
const IGNORED = /^\p{Default_Ignorable_Code_Point}$/u;

/**
 * Pure. Overlapping pairs of characters of each stretch of CJK words that touch, a lone character
 * as itself; other words as they are. In the order of the text.
 */
export function withBigrams(text: string, words: readonly Word[]): readonly Word[] {
  const result: Word[] = [];
  let run: Word[] = [];
  const flush = (): void => {
    if (run.length === 1) result.push(...run);
    for (const [i, first] of run.slice(0, -1).entries()) {
      result.push({ start: first.start, end: run[i + 1]?.end ?? first.end, cjk: true });
    }
    run = [];
  };
  for (const word of words) {
    if (run.at(-1)?.end !== word.start || !word.cjk) flush();
    if (word.cjk) run.push(...characters(text, word));
    else result.push(word);
  }
  flush();
  return result;
}

/** The characters of a word, each with the ignored ones that follow it. */
function characters(text: string, { start, end }: Word): Word[] {
  const result: Word[] = [];
  let at = start;
  for (const character of text.slice(start, end)) {
    const to = at + character.length;
    const last = result.at(-1);
    if (last !== undefined && IGNORED.test(character)) {
      result[result.length - 1] = { ...last, end: to };
    } else result.push({ start: at, end: to, cjk: true });
    at = to;
  }
  return result;
}
