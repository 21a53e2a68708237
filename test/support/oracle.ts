import type { FeatureValue } from "../../src/features/aggregates/aggregate.ts";
import type { AggregateName } from "../../src/features/aggregates/catalogue.ts";

/** An event as the oracle sees it: plain values, decimals as text. */
export interface OracleEvent {
  readonly time: number;
  readonly order: string;
  readonly fields: Readonly<Record<string, string | number | boolean | null>>;
}

export interface OracleFeature {
  readonly aggregate: AggregateName;
  readonly field: string | null;
  readonly where: Readonly<Record<string, readonly (string | number | boolean)[]>>;
  /** Null for a lifetime. */
  readonly lengthMs: number | null;
  /** Decimals are returned as text. */
  readonly asText: boolean;
}

const TIERS = [1_000, 5_000, 10_000, 30_000, 60_000, 300_000, 3_600_000, 86_400_000];
const SCALE = 20;

/** floor(T − W, h), with h the largest tier that is at most a twelfth of W. */
function lowerBound(asOf: number, lengthMs: number | null): number {
  if (lengthMs === null) return -Infinity;
  const hop = TIERS.filter((tier) => tier * 12 <= lengthMs).at(-1) ?? NaN;
  return Math.floor((asOf - lengthMs) / hop) * hop;
}

/** The value times 10^SCALE as a whole number. */
function scaled(value: unknown): bigint {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] =
    /^(-?)(\d+)\.?(\d*)(?:e([+-]\d+))?$/.exec(String(value)) ?? [];
  return (
    BigInt(sign + whole + fraction) * 10n ** BigInt(SCALE - fraction.length + Number(exponent))
  );
}

function unscale(value: bigint): string {
  const digits = (value < 0n ? -value : value).toString().padStart(SCALE + 1, "0");
  const fraction = digits.slice(-SCALE).replace(/0+$/, "");
  return `${value < 0n ? "-" : ""}${digits.slice(0, -SCALE)}${fraction && `.${fraction}`}`;
}

/** A feature by its definition: filter the list of events, aggregate what is left. */
export function oracleValue(
  feature: OracleFeature,
  events: readonly OracleEvent[],
  asOf: number,
): FeatureValue {
  const lo = lowerBound(asOf, feature.lengthMs);
  const live = events
    .filter(({ time }) => time >= lo && time < asOf)
    .filter(({ fields }) =>
      Object.entries(feature.where).every(([name, values]) => values.includes(fields[name] ?? NaN)),
    )
    .filter(({ fields }) => feature.field === null || (fields[feature.field] ?? null) !== null)
    .toSorted((a, b) => a.time - b.time || (a.order < b.order ? -1 : 1));
  if (feature.aggregate === "count") return live.length;
  if (live.length === 0) return null;
  const values = live.map(({ fields }) => fields[feature.field ?? ""] ?? null);
  if (feature.aggregate === "first") return values[0] ?? null;
  if (feature.aggregate === "last") return values.at(-1) ?? null;
  const numbers = values.map(scaled);
  const total = numbers.reduce((a, b) => a + b);
  const pick = (better: (a: bigint, b: bigint) => boolean) =>
    numbers.reduce((a, b) => (better(b, a) ? b : a));
  switch (feature.aggregate) {
    case "sum":
      return feature.asText ? unscale(total) : Number(unscale(total));
    case "mean":
      // Forty more digits than any input has: no tie of doubles survives them.
      return Number(`${(total * 10n ** 40n) / BigInt(values.length)}e-${SCALE + 40}`);
    case "min":
    case "max": {
      const best = pick(feature.aggregate === "min" ? (a, b) => a < b : (a, b) => a > b);
      return feature.asText ? unscale(best) : Number(unscale(best));
    }
    default:
      throw new RangeError(`the oracle does not know ${String(feature.aggregate)}`);
  }
}
