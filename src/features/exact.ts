import { err, ok, type Result } from "../result.ts";

/**
 * An exact decimal: the value is m · 10^−s, s ≥ 0. `m` is a number while that is safe and fast,
 * a bigint beyond. Several (m, s) may stand for one value; the text form is canonical.
 */
export interface Exact {
  readonly m: number | bigint;
  readonly s: number;
}

/** Below this, integers are added as numbers; their sum is then still a safe integer. */
const FAST = 2 ** 52;
const MAX_DIGITS = 38;
const MAX_EXPONENT = 350;
const POW10 = Array.from({ length: 23 }, (_, i) => 10 ** i);

const ZERO: Exact = { m: 0, s: 0 };

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?$/;

/**
 * Pure. Reads decimal text as JSON writes numbers ("12.50", "-3", "1e21"): at most 38 significant
 * digits, magnitude between 1e−350 and 1e350. Refuses everything else with a sentence.
 */
export function parseExact(text: string): Result<Exact, string> {
  const match = text.length <= 800 ? DECIMAL.exec(text) : null;
  if (!match) return err("expected a decimal number");
  const [, sign, whole = "", fraction = "", exponent = "0"] = match;
  const digits = (whole + fraction).replace(/^0+/, "");
  const kept = digits.replace(/0+$/, "");
  if (kept === "") return ok(ZERO);
  if (kept.length > MAX_DIGITS) return err(`expected at most ${MAX_DIGITS} significant digits`);
  const scale = fraction.length - (digits.length - kept.length) - Number(exponent);
  if (scale > MAX_EXPONENT || kept.length - scale > MAX_EXPONENT) {
    return err("the number's magnitude is out of range");
  }
  const m = compact(BigInt(sign + kept) * (scale < 0 ? 10n ** BigInt(-scale) : 1n));
  return ok({ m, s: Math.max(scale, 0) });
}

/** Pure. The Exact of text that was checked before; throws on text that parseExact refuses. */
export function exactOf(text: string): Exact {
  const parsed = parseExact(text);
  if (!parsed.ok) throw new RangeError(`${JSON.stringify(text)}: ${parsed.error}`);
  return parsed.value;
}

const compact = (m: bigint): number | bigint => (m < FAST && m > -FAST ? Number(m) : m);

/** Pure. Whether two such integers can be added as numbers. */
export const isFast = (m: number | bigint): m is number =>
  typeof m === "number" && m < FAST && m > -FAST;

/** Pure. `m` at scale `s` written at the larger scale `to`. */
function rescale(m: number | bigint, s: number, to: number): number | bigint {
  if (s === to) return m;
  const factor = POW10[to - s];
  if (typeof m === "number" && factor !== undefined) {
    const scaled = m * factor;
    if (isFast(scaled)) return scaled;
  }
  return BigInt(m) * 10n ** BigInt(to - s);
}

/** An exact sum that grows: m · 10^−s. */
export interface Sum {
  m: number | bigint;
  s: number;
}

/** Adds m · 10^−s to a sum, exactly. */
export function addInPlace(sum: Sum, m: number | bigint, s: number): void {
  const to = s > sum.s ? s : sum.s;
  const x = rescale(sum.m, sum.s, to);
  const y = rescale(m, s, to);
  sum.m = isFast(x) && isFast(y) ? x + y : compact(BigInt(x) + BigInt(y));
  sum.s = to;
}

/** Pure. a + b, exactly. */
export function addExact(a: Exact, b: Exact): Exact {
  const sum: Sum = { m: a.m, s: a.s };
  addInPlace(sum, b.m, b.s);
  return sum;
}

/** Pure. a · b, exactly. */
export function multiplyExact(a: Exact, b: Exact): Exact {
  const s = a.s + b.s;
  if (typeof a.m === "number" && typeof b.m === "number") {
    const m = a.m * b.m;
    if (isFast(m)) return { m, s };
  }
  return { m: compact(BigInt(a.m) * BigInt(b.m)), s };
}

/** Pure. −a. */
export const negateExact = ({ m, s }: Exact): Exact => ({
  // 0 − 0 is 0, where −0 would be a zero of its own.
  m: typeof m === "number" ? 0 - m : -m,
  s,
});

/** Pure. The same value at its smallest scale: equal values become equal pairs. */
export function normaliseExact(a: Exact): Exact {
  let m = typeof a.m === "bigint" ? compact(a.m) : a.m;
  let { s } = a;
  while (s > 0 && typeof m === "bigint" && m % 10n === 0n) {
    m = compact(m / 10n);
    s -= 1;
  }
  if (typeof m === "bigint") return { m, s };
  if (m === 0) return ZERO;
  while (s > 0 && m % 10 === 0) {
    m /= 10;
    s -= 1;
  }
  return { m, s };
}

/** Pure. Negative, zero or positive as a is below, at or above b. */
export function compareExact(a: Exact, b: Exact): number {
  const s = Math.max(a.s, b.s);
  const x = rescale(a.m, a.s, s);
  const y = rescale(b.m, b.s, s);
  return x < y ? -1 : x > y ? 1 : 0;
}

/** Pure. Canonical text: no exponent, no trailing zeros after the point, no "-0". */
export function exactToText({ m, s }: Exact): string {
  const negative = m < 0;
  let digits = (negative ? -m : m).toString();
  if (s > 0) {
    digits = digits.padStart(s + 1, "0");
    const fraction = digits.slice(-s).replace(/0+$/, "");
    digits = digits.slice(0, -s) + (fraction === "" ? "" : `.${fraction}`);
  }
  return negative ? `-${digits}` : digits;
}

/** Pure. The nearest double (ties to even); ±Infinity beyond the range of doubles. */
export function exactToNumber(a: Exact): number {
  const power = POW10[a.s];
  // Both operands are exact doubles, so IEEE division rounds the true quotient once.
  if (typeof a.m === "number" && power !== undefined) return a.m / power;
  return Number(exactToText(a));
}

/** Pure. The double nearest to a / n for a whole n > 0, rounded once. */
export function divideExact(a: Exact, n: number | bigint): number {
  const power = POW10[a.s];
  if (typeof a.m === "number" && typeof n === "number" && power !== undefined && power * n < FAST) {
    return a.m / (power * n);
  }
  const negative = a.m < 0;
  const numerator = BigInt(negative ? -a.m : a.m);
  const denominator = BigInt(n);
  // 40 digits beyond the divisor's, and a last digit that only says "not exact", decide every tie.
  const shift = 40 + denominator.toString().length;
  const scaled = numerator * 10n ** BigInt(shift);
  const sticky = scaled % denominator === 0n ? "0" : "1";
  const quotient = `${scaled / denominator}${sticky}e-${a.s + shift + 1}`;
  return Number(negative ? `-${quotient}` : quotient);
}

const bitsOf = (n: bigint): number => n.toString(16).length * 4;

/** Pure. The whole part of the square root of 0 ≤ x < 2^120. */
function wholeRoot(x: bigint): bigint {
  let root = BigInt(Math.floor(Math.sqrt(Number(x))));
  // A step of Newton's from a double's 53 bits is off by one at most.
  if (root > 0n) root = (root + x / root) / 2n;
  while (root * root > x) root -= 1n;
  while ((root + 1n) * (root + 1n) <= x) root += 1n;
  return root;
}

/**
 * Pure. The double nearest to the square root of a / n, for a ≥ 0 and a whole n > 0, rounded once
 * (twice below 2^−1022, where doubles have fewer digits).
 */
export function rootOfQuotient(a: Exact, n: bigint): number {
  const numerator = BigInt(a.m);
  if (numerator === 0n) return 0;
  const denominator = n * 10n ** BigInt(a.s);
  // The quotient times 4^shift has 108 to 120 bits: its root has more than a double, and a last
  // bit that only says "not exact" decides every tie.
  const shift = Math.ceil((114 - bitsOf(numerator) + bitsOf(denominator)) / 2);
  const up = numerator << BigInt(2 * Math.max(shift, 0));
  const down = denominator << BigInt(2 * Math.max(-shift, 0));
  const root = wholeRoot(up / down);
  const sticky = root * root * down === up ? 0n : 1n;
  const half = Math.trunc((shift + 1) / 2);
  return Number(2n * root + sticky) * 2 ** -half * 2 ** -(shift + 1 - half);
}
