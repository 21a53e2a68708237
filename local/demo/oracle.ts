import type { Aggregation } from "../../src/features/aggregation.ts";
import type { FeatureView } from "../../src/features/define.ts";

/** An event as it was sent. */
export type SentEvent = Readonly<Record<string, string>>;
export type OracleValue = string | number | boolean | null;

const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000] as const;
const HOPS = [DAY, HOUR, 5 * MINUTE, MINUTE, 30 * SECOND, 10 * SECOND, 5 * SECOND, SECOND];

/** Numbers are whole millionths: enough for the example's amounts, which have two decimals. */
const SCALE = 1_000_000n;

/**
 * Pure. The features of one entity at `asOf` (epoch ms) in the plainest way: every event is looked
 * at, in the order of time, and those in the window are added up. Shares nothing with the engine but
 * the definition. Events may come in any order and more than once; the first of an id counts.
 */
export function recompute(
  view: FeatureView,
  events: readonly SentEvent[],
  entity: Readonly<Record<string, string>>,
  asOf: number,
): Readonly<Record<string, OracleValue>> {
  const { id, eventTime } = view.source as { readonly id: string; readonly eventTime: string };
  const timeOf = (event: SentEvent): number => Date.parse(event[eventTime] ?? "");
  const distinct = new Map(events.toReversed().map((event) => [event[id] ?? "", event]));
  const own = [...distinct.values()]
    .filter((event) => view.entity.key.every((k) => event[view.key[k] ?? k] === entity[k]))
    .toSorted((a, b) => timeOf(a) - timeOf(b) || ((a[id] ?? "") < (b[id] ?? "") ? -1 : 1));
  const featureOf = (feature: Aggregation): OracleValue => {
    const taken = own.filter(
      (event) => isWithin(feature, timeOf(event), asOf) && fits(feature, event),
    );
    return aggregate(feature, taken) ?? (feature.fallback as OracleValue);
  };
  return Object.fromEntries(
    Object.entries(view.features).map(([name, feature]) => [name, featureOf(feature)]),
  );
}

function isWithin({ window }: Aggregation, time: number, asOf: number): boolean {
  if (window.kind === "lifetime") return time < asOf;
  const { kind, lengthMs } = window;
  if (kind === "hopping") {
    const end = Math.floor(asOf / window.hopMs) * window.hopMs;
    return time >= end - lengthMs && time < end;
  }
  const hop = HOPS.find((size) => size * 12 <= lengthMs) ?? SECOND;
  return time >= Math.floor((asOf - lengthMs) / hop) * hop && time < asOf;
}

const fits = ({ conditions }: Aggregation, event: SentEvent): boolean =>
  conditions
    .flatMap((one) => Object.entries(one))
    .every(([field, wanted]) => [wanted].flat().some((value) => String(value) === event[field]));

const KNOWN = new Set(["count", "first", "last", "sum", "mean", "min", "max"]);

function aggregate({ aggregate: name, field, split }: Aggregation, events: readonly SentEvent[]) {
  if (!KNOWN.has(name) || split !== null) {
    throw new RangeError(`the demo's check does not know ${name}${split === null ? "" : " by()"}`);
  }
  if (name === "count") return events.length;
  const texts = events.flatMap((event) => event[field ?? ""] ?? []);
  if (texts.length === 0) return null;
  if (name === "first") return texts[0] ?? null;
  if (name === "last") return texts.at(-1) ?? null;
  const numbers = texts.map(millionths).toSorted((a, b) => (a < b ? -1 : 1));
  const total = numbers.reduce((sum, one) => sum + one, 0n);
  // Both operands are whole and below 2^53, so that the quotient is rounded once.
  if (name === "mean") return Number(total) / Number(SCALE * BigInt(numbers.length));
  return toText(name === "sum" ? total : ((name === "min" ? numbers[0] : numbers.at(-1)) ?? 0n));
}

function millionths(text: string): bigint {
  const [whole = "", fraction = ""] = text.replace("-", "").split(".");
  const magnitude = BigInt(whole + fraction.padEnd(6, "0"));
  return text.startsWith("-") ? -magnitude : magnitude;
}

function toText(value: bigint): string {
  const digits = (value < 0n ? -value : value).toString().padStart(7, "0");
  const text = `${digits.slice(0, -6)}.${digits.slice(-6)}`.replace(/\.?0+$/, "");
  return value < 0n ? `-${text}` : text;
}
