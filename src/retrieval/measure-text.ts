/** Sizes are in quarters of an estimated token. */
const WIDE = 4;
const NARROW = 1;

const SPACE = /\s/;
/** What belongs to the character before it; Hangul's vowels and finals as separate letters too. */
const EXTENDS =
  /^[\p{M}\p{Grapheme_Extend}\p{Emoji_Modifier}\u{1160}-\u{11ff}\u{d7b0}-\u{d7ff}\u{200d}]/u;
const JOINER = 0x200d;
/** Every character before it stands alone. */
const FIRST_MARK = 0x300;

/**
 * Pure. Of each place in a text, index i being the one before its i-th UTF-16 unit: the size of what
 * is before it, in quarters of an estimated token (a Chinese, Japanese or Korean character is a
 * token, any other a quarter); and whether characters meet there: 2 if one of them is a whole token,
 * 1 if not, 0 within a character with its marks and after white space.
 */
export function measureText(text: string): {
  readonly sizes: Uint32Array;
  readonly breaks: Uint8Array;
} {
  const sizes = new Uint32Array(text.length + 1);
  const breaks = new Uint8Array(text.length + 1);
  let size = 0;
  let last = { wide: false, glued: true };
  for (let at = 0; at < text.length;) {
    const code = text.codePointAt(at) ?? 0;
    const next = at + (code > 0xffff ? 2 : 1);
    const wide = isWide(code);
    const extends_ = code >= FIRST_MARK && EXTENDS.test(text.slice(at, next));
    if (!last.glued && !extends_) breaks[at] = wide || last.wide ? 2 : 1;
    last = { wide, glued: code === JOINER || isSpace(code) };
    size += wide ? WIDE : NARROW;
    sizes.fill(size, at + 1, next + 1);
    at = next;
  }
  return { sizes, breaks };
}

const isSpace = (code: number): boolean =>
  code <= 0x20 || (code >= 0x80 && code <= 0xffff && SPACE.test(String.fromCharCode(code)));

/** Blocks of the Unicode standard, so that chunks stay as they are when engines learn new scripts. */
const isWide = (code: number): boolean =>
  code >= 0x1100 &&
  (code <= 0x11ff ||
    (code >= 0x2e80 && code <= 0x9fff) ||
    (code >= 0xa960 && code <= 0xa97f) ||
    (code >= 0xac00 && code <= 0xd7ff) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xff00 && code <= 0xffef) ||
    (code >= 0x1aff0 && code <= 0x1b16f) ||
    (code >= 0x1f200 && code <= 0x1f2ff) ||
    (code >= 0x20000 && code <= 0x3ffff));
