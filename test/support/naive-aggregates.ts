import type { AggregateName } from "../../src/features/aggregates/catalogue.ts";

/** A value as it was sent: decimals as text; a vector is a list of numbers. */
export type PlainValue = string | number | boolean | readonly (string | number)[];

/** A value of one event that an aggregate takes. */
export interface Seen {
  readonly value: PlainValue;
  readonly time: number;
  readonly order: string;
}

export interface NaiveAggregate {
  readonly aggregate: AggregateName;
  readonly parameters: Readonly<Record<string, number>>;
  /** Decimals are returned as text. */
  readonly asText: boolean;
}

type Scalar = string | number | boolean | null;
export type NaiveValue = Scalar | readonly Scalar[];

const DECIMAL = /^(-?)(\d+)\.?(\d*)(?:e([+-]?\d+))?$/;

/** Numbers as whole multiples of 10^−scale, the coarsest that holds them all. */
interface Numbers {
  readonly scale: number;
  readonly units: readonly bigint[];
}

function numbersOf(values: readonly unknown[]): Numbers {
  const parsed = values.map((value) => {
    const [, sign = "", whole = "", fraction = "", exponent = "0"] =
      DECIMAL.exec(String(value)) ?? [];
    return { digits: BigInt(sign + whole + fraction), scale: fraction.length - Number(exponent) };
  });
  const scale = Math.max(0, ...parsed.map((one) => one.scale));
  return {
    scale,
    units: parsed.map((one) => one.digits * 10n ** BigInt(scale - one.scale)),
  };
}

function toText(value: bigint, scale: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, "0");
  const fraction = digits.slice(digits.length - scale).replace(/0+$/, "");
  return `${value < 0n ? "-" : ""}${digits.slice(0, digits.length - scale)}${fraction && `.${fraction}`}`;
}

const total = (units: readonly bigint[]): bigint => units.reduce((a, b) => a + b, 0n);

/** The double nearest to numerator / denominator, for a denominator below 10^scale. */
function quotient(numerator: bigint, denominator: bigint, scale: number): number {
  // Sixty more digits than the shortest quotient has: no tie of doubles survives them.
  const digits = scale + 60;
  return Number(`${(numerator * 10n ** BigInt(digits)) / denominator}e-${digits}`);
}

const meanOf = ({ units, scale }: Numbers): number =>
  quotient(total(units), BigInt(units.length) * 10n ** BigInt(scale), scale + 4);

function root(x: bigint): bigint {
  let guess = 1n << BigInt(Math.ceil(x.toString(2).length / 2));
  for (;;) {
    const next = (guess + x / guess) / 2n;
    if (next >= guess) return guess;
    guess = next;
  }
}

/** The sum of the squared distances from the mean, over n or n − 1; or the root of that. */
function spreadOf({ units, scale }: Numbers, isSample: boolean, isRoot: boolean): number | null {
  const n = BigInt(units.length);
  const by = isSample ? n - 1n : n;
  if (by === 0n) return null;
  const sum = total(units);
  const squares = total(units.map((x) => (n * x - sum) ** 2n));
  const below = n * n * by * 10n ** BigInt(2 * scale);
  if (!isRoot) return quotient(squares, below, 2 * scale + 8);
  // The root's digits are cut off: right to a unit in the last place.
  const digits = scale + 30;
  const scaled = (squares * 10n ** BigInt(2 * digits)) / below;
  return Number(`${scaled === 0n ? 0n : root(scaled)}e-${digits}`);
}

const distinctOf = (values: readonly PlainValue[]): ReadonlySet<string> =>
  new Set(values.map((value) => canonical(value)));

/** Numbers by value; all else as it is. */
const canonical = (value: PlainValue): string =>
  DECIMAL.test(String(value)) ? textOf(value) : String(value);

function textOf(value: unknown): string {
  const { units, scale } = numbersOf([value]);
  return toText(units[0] ?? 0n, scale);
}

const MASK = 2n ** 64n - 1n;

/** 64 bits: FNV-1a, then the finaliser of MurmurHash3. */
function hashOf(text: string): bigint {
  let h = 0xcbf29ce484222325n;
  for (const byte of new TextEncoder().encode(text)) {
    h = ((h ^ BigInt(byte)) * (2n ** 40n + 0x1b3n)) & MASK;
  }
  h = ((h ^ (h >> 33n)) * 0xff51afd7ed558ccdn) & MASK;
  h = ((h ^ (h >> 33n)) * 0xc4ceb9fe1a85ec53n) & MASK;
  return h ^ (h >> 33n);
}

/** A HyperLogLog as its definition has it, estimated by the formula of Ertl with 60 terms each. */
function approxDistinct(texts: ReadonlySet<string>, precision: number): number {
  const m = 2 ** precision;
  const rest = 64 - precision;
  const ranks = new Map<number, number>();
  for (const text of texts) {
    const bits = hashOf(text).toString(2).padStart(64, "0");
    const register = Number.parseInt(bits.slice(0, precision), 2);
    const one = bits.indexOf("1", precision);
    const rank = one < 0 ? rest + 1 : one - precision + 1;
    ranks.set(register, Math.max(ranks.get(register) ?? 0, rank));
  }
  const share = (rank: number): number =>
    (rank === 0 ? m - ranks.size : [...ranks.values()].filter((r) => r === rank).length) / m;
  const terms = Array.from({ length: 60 }, (_, i) => i + 1);
  const [none, all] = [share(0), 1 - share(rest + 1)];
  const sigma = terms.reduce((sum, k) => sum + none ** (2 ** k) * 2 ** (k - 1), none);
  const tau = terms.reduce((sum, k) => sum - (1 - all ** (2 ** -k)) ** 2 * 2 ** -k, 1 - all) / 3;
  const inner = Array.from({ length: rest }, (_, i) => share(i + 1) * 2 ** -(i + 1));
  const sum = sigma + inner.reduce((a, b) => a + b, 0) + tau * 2 ** -rest;
  return Math.round(m / (2 * Math.LN2 * sum));
}

/** The value by its definition, in the plainest way: all observations at once, in order. */
export function naiveValue(
  { aggregate, parameters, asText }: NaiveAggregate,
  seen: readonly Seen[],
  asOf: number,
): NaiveValue {
  if (aggregate === "count") return seen.length;
  if (seen.length === 0) return null;
  const inOrder = seen.toSorted((a, b) => a.time - b.time || (a.order < b.order ? -1 : 1));
  const values = inOrder.map(({ value }) => value);
  const n = parameters["n"] ?? 0;
  const shown = (text: string): Scalar => (asText ? text : Number(text));
  const plain = values.map((value) =>
    DECIMAL.test(String(value)) ? shown(textOf(value)) : (value as Scalar),
  );
  const numbers = numbersOf(values);
  const texts = numbers.units
    .toSorted((a, b) => (a > b ? -1 : 1))
    .map((one) => toText(one, numbers.scale));
  switch (aggregate) {
    case "first":
      return plain[0] ?? null;
    case "last":
      return plain.at(-1) ?? null;
    case "firstN":
      return plain.slice(0, n);
    case "lastN":
      return plain.toReversed().slice(0, n);
    case "sum":
      return shown(toText(total(numbers.units), numbers.scale));
    case "mean":
      return meanOf(numbers);
    case "max":
      return shown(texts[0] ?? "");
    case "min":
      return shown(texts.at(-1) ?? "");
    case "topN":
      return texts.slice(0, n).map(shown);
    case "varPop":
      return spreadOf(numbers, false, false);
    case "varSamp":
      return spreadOf(numbers, true, false);
    case "stddevPop":
      return spreadOf(numbers, false, true);
    case "stddevSamp":
      return spreadOf(numbers, true, true);
    case "countDistinct":
      return Math.min(distinctOf(values).size, parameters["max"] ?? 0);
    case "approxCountDistinct":
      return approxDistinct(distinctOf(values), parameters["precision"] ?? 0);
    case "approxPercentile":
      return percentile(values.map(Number), parameters);
    case "expDecaySum":
      return added(
        inOrder.map(({ value, time }) => decayed(Number(value), asOf - time, parameters)),
      );
    case "vectorMean":
      return meanVector(values as readonly (readonly string[])[]);
    default:
      throw new RangeError("there is no such aggregate");
  }
}

const meanVector = (vectors: readonly (readonly string[])[]): readonly number[] =>
  (vectors[0] ?? []).map((_, i) => meanOf(numbersOf(vectors.map((vector) => vector[i]))));

const added = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);

/** In two steps: a weight that is too small for a double may leave something of a large value. */
function decayed(value: number, ageMs: number, parameters: NaiveAggregate["parameters"]): number {
  const half = 2 ** -(ageMs / (parameters["half_life_ms"] ?? 0) / 2);
  return value * half * half;
}

/** The value of its rank, moved into the range that is told apart. */
function percentile(values: readonly number[], parameters: NaiveAggregate["parameters"]): number {
  const { p = 0, from = 0, to = 0 } = parameters;
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.floor(p * (sorted.length - 1))] ?? 0;
  return value === 0 ? 0 : Math.sign(value) * Math.min(Math.max(Math.abs(value), from), to);
}

/** How far an approximate value may be from the naive one; 0 for all that is exact. */
export function toleranceOf(
  { aggregate, parameters }: NaiveAggregate,
  seen: readonly Seen[],
  expected: NaiveValue,
  asOf: number,
): number {
  if (aggregate.startsWith("stddev")) return Math.abs(Number(expected)) * Number.EPSILON;
  if (aggregate === "approxPercentile") {
    return Math.abs(Number(expected)) * (parameters["accuracy"] ?? 0) * (1 + 1e-9);
  }
  if (aggregate !== "expDecaySum") return 0;
  return added(
    seen.map(({ value, time }) => {
      const share = Math.abs(decayed(Number(value), asOf - time, parameters));
      const isOld = decayed(1, asOf - time, parameters) < 2 ** -64;
      // The smallest doubles lie further apart than any share of them.
      return share * (isOld ? 1 : 1e-14) + 4 * Number.MIN_VALUE;
    }),
  );
}
