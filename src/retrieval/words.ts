/** A word of a text, `text.slice(start, end)`. */
export interface Word {
  readonly start: number;
  readonly end: number;
  /** Han, kana or Hangul: text that is written without spaces, or found by parts of words. */
  readonly cjk: boolean;
}

/** As Lucene; what is longer becomes several words. */
const MAX_LENGTH = 255;

const LETTER = 1;
const HANGUL = 2;
const DIGIT = 4;
const KATAKANA = 8;
const CONNECTOR = 16;
const MID_LETTER = 32;
const MID_DIGIT = 64;
const MARK = 128;
const IDEOGRAPH = 256;
const SOUTH_EAST = 512;
const PICTURE = 1024;
const FLAG = 2048;
const OTHER = 4096;

const ALPHANUMERIC = LETTER | DIGIT;
const IN_WORD = ALPHANUMERIC | HANGUL | KATAKANA | CONNECTOR;

// The first that matches counts. Thai, Lao, Burmese, Khmer … write no spaces: their letters stay
// together. Pictures are ranges: Unicode took characters out of Extended_Pictographic.
const CLASSES: readonly (readonly [number, RegExp])[] = [
  [OTHER, /[\u200b\ud800-\udfff]/u],
  [MARK, /[\p{M}\p{Cf}\p{Emoji_Modifier}]/u],
  [DIGIT, /[\p{Nd}\u066b]/u],
  [MID_DIGIT, /[,;\u037e\u0589\u060c\u060d\u066c\u07f8\u2044]/u],
  [MID_LETTER, /[:\u00b7\u055f\u05f4\u2027]/u],
  [MID_LETTER | MID_DIGIT, /[.'\u2018\u2019]/u],
  [CONNECTOR, /\p{Pc}/u],
  [KATAKANA, /[\p{Script=Katakana}\u3031-\u3035\u309b\u309c\u30a0\u30fc]/u],
  [IDEOGRAPH, /[\p{Script=Hiragana}\p{Script=Han}\p{Ideographic}]/u],
  [SOUTH_EAST, /[\p{Script=Thai}\p{Script=Lao}\p{Script=Myanmar}\p{Script=Khmer}]/u],
  [SOUTH_EAST, /[\p{Script=Tai_Le}\p{Script=New_Tai_Lue}\p{Script=Tai_Tham}\p{Script=Tai_Viet}]/u],
  [HANGUL, /(?=\p{Script=Hangul})\p{Alphabetic}/u],
  [LETTER, /\p{Alphabetic}/u],
  [PICTURE, /[©®™↔-↙↩↪⌚⌛⌨⏏⏩-⏺\u2600-★☇-\u27bf⬅-⬇⬛⬜⭐⭕]/u],
  [FLAG, /\p{Regional_Indicator}/u],
  [PICTURE, /[\u{1f000}-\u{1faff}]/u],
];

/** Class of each code point, 0 until it is met. */
const known = new Uint16Array(0x110000);

/**
 * Pure. The words of a text by UAX #29 as Lucene's StandardTokenizer reads it: words with their
 * inner apostrophes, points and underscores, numbers, single ideographs and hiragana, runs of
 * katakana, emoji. Otherwise than there, 々 is an ideograph (佐々木 would be three words), Hangul is
 * parted from Latin letters and digits (API를), and Hebrew quotation marks end a word. Linear in
 * time for any text.
 *
 * A scanner of our own and not Intl.Segmenter, whose rules and dictionaries change with the
 * runtime: documents and queries are years apart and must agree. The properties used here change
 * for characters that Unicode did not have before, and hardly else.
 */
export function findWords(text: string): readonly Word[] {
  const words: Word[] = [];
  let at = 0;
  while (at < text.length) {
    const kind = classAt(text, at);
    const limit = Math.min(at + MAX_LENGTH, text.length);
    let end = afterMarks(text, at + width(text, at), limit);
    if ((kind & IN_WORD) !== 0) {
      const word = readWord(text, at, limit);
      end = word.end;
      if (word.seen !== CONNECTOR) {
        words.push({ start: at, end, cjk: word.seen === KATAKANA || word.seen === HANGUL });
      }
    } else if (kind === IDEOGRAPH) words.push({ start: at, end, cjk: true });
    else if (kind === SOUTH_EAST) {
      while (end < limit && classAt(text, end) === SOUTH_EAST) {
        end = afterMarks(text, end + width(text, end), limit);
      }
      words.push({ start: at, end, cjk: false });
    } else if (kind === PICTURE || kind === FLAG) {
      const emoji = afterEmoji(text, end, limit, kind);
      if (emoji > 0) words.push({ start: at, end: (end = emoji), cjk: false });
    }
    at = end;
  }
  return words;
}

/** A word of letters, digits, katakana and connectors, and which of them are in it. */
function readWord(text: string, start: number, limit: number): { end: number; seen: number } {
  let last = classAt(text, start);
  let seen = last;
  let end = afterMarks(text, start + width(text, start), limit);
  while (end < limit) {
    let from = end;
    let next = classAt(text, from);
    const beyond = acrossMiddle(last, next);
    if (beyond !== 0) {
      from = afterMarks(text, from + 1, limit);
      next = from < limit ? classAt(text, from) & beyond : OTHER;
    }
    const stop = from + width(text, from);
    if ((next & followers(last)) === 0 || stop > limit) break;
    last = next;
    seen |= next;
    end = afterMarks(text, stop, limit);
  }
  return { end, seen };
}

/** What must follow a point, comma or apostrophe after this class, for it to be inside a word. */
function acrossMiddle(last: number, middle: number): number {
  if (last === LETTER && (middle & MID_LETTER) !== 0) return LETTER;
  return last === DIGIT && (middle & MID_DIGIT) !== 0 ? DIGIT : 0;
}

function followers(last: number): number {
  if (last === CONNECTOR) return IN_WORD;
  return CONNECTOR | ((last & ALPHANUMERIC) === 0 ? last : ALPHANUMERIC);
}

/** The end of a picture with what ZWJ joins to it, or of a flag's two letters; 0: half a flag. */
function afterEmoji(text: string, first: number, limit: number, kind: number): number {
  const more = (end: number): boolean =>
    end < limit && classAt(text, end) === kind && end + width(text, end) <= limit;
  let end = first;
  if (kind === FLAG) return more(end) ? afterMarks(text, end + 2, limit) : 0;
  while (text[end - 1] === "\u200d" && more(end)) {
    end = afterMarks(text, end + width(text, end), limit);
  }
  return end;
}

/** Marks and format characters belong to the character before them. */
function afterMarks(text: string, from: number, limit: number): number {
  let at = from;
  while (at < limit && classAt(text, at) === MARK && at + width(text, at) <= limit) {
    at += width(text, at);
  }
  return at;
}

function classAt(text: string, at: number): number {
  const code = text.codePointAt(at) ?? 0;
  return known[code] || (known[code] = classify(String.fromCodePoint(code)));
}

const classify = (character: string): number =>
  CLASSES.find(([, pattern]) => pattern.test(character))?.[0] ?? OTHER;

const width = (text: string, at: number): number => ((text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1);
