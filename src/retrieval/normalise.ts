/** Text in one spelling, and where each piece of it was in the text as given. */
export interface Normalised {
  readonly text: string;
  /** In order; a piece lasts until the next one. */
  readonly pieces: readonly Piece[];
}

interface Piece {
  /** Where it begins in the normalised text. */
  readonly at: number;
  readonly from: number;
  readonly to: number;
  /** Unit by unit as in the original; otherwise it stands for the original as a whole. */
  readonly same: boolean;
}

/** What may change together with the character before it: marks, and letters that compose. */
const JOINING =
  "\\p{M}\\u0e33\\u0eb3\\u1160-\\u11ff\\u3131-\\u318e\\uff9e-\\uffdc\\u{16d67}\\u{16d68}";
const JOINS = new RegExp(`^[${JOINING}]`, "u");
/** Marks beyond 30 begin a new cluster (UAX #15, stream-safe text): normalising sorts them. */
const CLUSTER = new RegExp(`[^][${JOINING}]{0,30}`, "gu");
const WINDOW = 256;
const MAX_WINDOW = WINDOW + 64;

/** NFKC would join these to what is before them: Freshet™ would be FreshetTM, 2½ would be 21⁄2. */
const KEPT = "™℠¼½¾⅐-⅟↉";
const HAS_KEPT = new RegExp(`[${KEPT}]`);
const NOT_KEPT = new RegExp(`[^${KEPT}]+`, "g");

/**
 * Pure. NFKC, with the way back to the original offsets. Linear in time for any text: windows of
 * a few hundred units that need no change are kept, the others are normalised by cluster.
 */
export function normalise(text: string): Normalised {
  if (/^[\0-\x7f]*$/.test(text)) return whole(text);
  const parts: string[] = [];
  const pieces: Piece[] = [];
  let at = 0;
  const add = (part: string, from: number, to: number, same: boolean): void => {
    const last = pieces.at(-1);
    if (same && last?.same === true) pieces[pieces.length - 1] = { ...last, to };
    else pieces.push({ at, from, to, same });
    parts.push(part);
    at += part.length;
  };
  for (let from = 0, to = 0; from < text.length; from = to) {
    to = windowEnd(text, from);
    const window = text.slice(from, to);
    if (nfkc(window) === window) add(window, from, to, true);
    else {
      for (const { 0: cluster, index } of window.matchAll(CLUSTER)) {
        const part = nfkc(cluster);
        const start = from + index;
        add(part, start, start + cluster.length, part === cluster);
      }
    }
  }
  return { text: parts.join(""), pieces };
}

/** Pure. The span of the original text that a non-empty span of the normalised text stands for. */
export function originalSpan({ pieces }: Normalised, start: number, end: number): [number, number] {
  const first = pieceAt(pieces, start);
  const last = pieceAt(pieces, end - 1);
  return [
    first.same ? first.from + (start - first.at) : first.from,
    last.same ? last.from + (end - last.at) : last.to,
  ];
}

const whole = (text: string): Normalised => ({
  text,
  pieces: [{ at: 0, from: 0, to: text.length, same: true }],
});

const nfkc = (text: string): string =>
  HAS_KEPT.test(text)
    ? text.replaceAll(NOT_KEPT, (other) => other.normalize("NFKC"))
    : text.normalize("NFKC");

/** Not between a character and what changes with it, unless that goes on for too long. */
function windowEnd(text: string, from: number): number {
  let end = Math.min(from + WINDOW, text.length);
  const limit = Math.min(from + MAX_WINDOW, text.length);
  while (end < limit && continues(text, end)) end += 1;
  return end;
}

function continues(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  if (unit < 0x300) return false;
  const insidePair = (unit & 0xfc00) === 0xdc00 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800;
  return insidePair || JOINS.test(String.fromCodePoint(text.codePointAt(at) ?? unit));
}

function pieceAt(pieces: readonly Piece[], at: number): Piece {
  let low = 0;
  for (let high = pieces.length; high - low > 1;) {
    const middle = (low + high) >> 1;
    if ((pieces[middle]?.at ?? 0) <= at) low = middle;
    else high = middle;
  }
  return pieces[low] ?? { at: 0, from: 0, to: 0, same: true };
}
