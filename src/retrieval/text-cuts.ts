import { readLines, type Line } from "./markdown-lines.ts";
import { measureText } from "./measure-text.ts";

/** How good a place for a cut is, worst first; before a heading of level n: `heading` - n. */
export const CUT = {
  never: 0,
  character: 1,
  wideCharacter: 2,
  /** In a heading, or in a block that fits into a chunk. */
  wordInside: 3,
  sentenceInside: 4,
  lineInside: 5,
  word: 6,
  sentence: 7,
  line: 8,
  /** Before a block or an item, and at a blank line in a block. */
  block: 9,
  paragraph: 10,
  heading: 17,
} as const;

/** Index i stands for the place before a text's i-th UTF-16 unit. */
export interface TextCuts {
  /** Quarters of estimated tokens before each place. */
  readonly sizes: Uint32Array;
  readonly cuts: Uint8Array;
}

/** Pure. How good a cut is at each place of a text whose chunks have at most `budget` quarters. */
export function findCuts(text: string, budget: number): TextCuts {
  const { sizes, breaks: cuts } = measureText(text);
  const { lines, blocks } = readLines(text);
  const [joined, held, heldBefore] = [flags(lines), flags(lines), flags(lines)];
  for (const { from, to } of blocks) {
    joined.fill(1, from + 1, to + 1);
    if ((sizes[lines[to]?.end ?? 0] ?? 0) - (sizes[lines[from]?.start ?? 0] ?? 0) > budget)
      continue;
    held.fill(1, from, to + 1);
    heldBefore.fill(1, from + 1, to + 1);
  }
  for (const [i, line] of lines.entries()) {
    markWithin(text, line, held[i] === 1 || line.heading > 0, cuts);
    const next = lines[i + 1];
    if (next !== undefined) {
      cuts[line.end] = between(line, next, joined[i + 1] === 1, heldBefore[i + 1] === 1);
    }
  }
  return { sizes, cuts };
}

const flags = (lines: readonly Line[]): Uint8Array => new Uint8Array(lines.length);

function between(line: Line, next: Line, joined: boolean, held: boolean): number {
  if (line.heading > 0) return CUT.never;
  if (held) return CUT.lineInside;
  if (next.heading > 0) return CUT.heading - next.heading;
  if (next.afterBlank && !joined) return CUT.paragraph;
  return next.afterBlank || next.opens ? CUT.block : CUT.line;
}

const SPACE = /\s+/g;
const SENTENCE_END = /\p{Sentence_Terminal}[」』）】〉》〕”’"')\]»]*$/u;
/** Chinese and Japanese write no space after sentences and clauses. */
const WIDE_END = /(?:([。！？｡]+)|[、，；：､])[」』）】〉》〕”’"')\]]*/g;
/** Enough to see a sentence end behind closing brackets. */
const LOOK_BEHIND = 5;

function markWithin(text: string, { start, end }: Line, inside: boolean, cuts: Uint8Array): void {
  const written = text.slice(start, end);
  const [word, sentence] = inside ? [CUT.wordInside, CUT.sentenceInside] : [CUT.word, CUT.sentence];
  for (const { 0: match, 1: ends, index } of written.matchAll(WIDE_END)) {
    const at = start + index + match.length;
    if (at < end && cuts[at] !== CUT.never) cuts[at] = ends === undefined ? word : sentence;
  }
  for (const { index } of written.matchAll(SPACE)) {
    const before = written.slice(Math.max(0, index - LOOK_BEHIND), index);
    cuts[start + index] = SENTENCE_END.test(before) ? sentence : word;
  }
}
