import { SKETCH_TO } from "../src/features/quality/number-profile.ts";
import type { QualityEntry } from "../src/routes/quality-entries.ts";
import { DAY_MS, instantText } from "../src/time.ts";
import { counted, durationText } from "./support/number-text.ts";

type Entry = QualityEntry["features"][number];
type Drift = NonNullable<Entry["drift"]>;
type Numbers = NonNullable<Entry["numbers"]>;

const HEADER = ["feature", "type", "null", "p50", "p95", "min", "max", "drift (PSI)", "commonest"];
const NOTHING = "–";

const numberText = (value: number): string =>
  value.toLocaleString("en-GB", { maximumSignificantDigits: 4, notation: notationOf(value) });
const notationOf = (value: number) => (Math.abs(value) >= 1e9 ? "scientific" : "standard");

const ageText = (ms: number): string =>
  Math.abs(ms) >= 2 * DAY_MS ? `${numberText(ms / DAY_MS)} d` : durationText(ms / 1_000);

const percentText = (share: number | null): string =>
  share === null ? NOTHING : `${(100 * share).toFixed(1)} %`;

function driftText({ psi, noise, reading }: Drift): string {
  const by = reading === "unclear" ? `, chance may do ${noise.toFixed(2)}` : "";
  return `${psi.toFixed(3)} ${reading}${by}`;
}

/** A percentile: beyond the range of its sketch, all that is known is that it is beyond. */
function percentileText(value: number, { min, max }: Numbers, text: (value: number) => string) {
  if (Math.abs(value) <= SKETCH_TO || min === max) return text(value);
  return value > 0 ? `> ${text(SKETCH_TO)}` : `< ${text(-SKETCH_TO)}`;
}

function rowOf({ name, key, type, list, null_rate, numbers, commonest, drift }: Entry) {
  const text = type === "time" && list !== true ? ageText : numberText;
  const figures =
    numbers === null
      ? [NOTHING, NOTHING, NOTHING, NOTHING]
      : [
          percentileText(numbers.p50, numbers, text),
          percentileText(numbers.p95, numbers, text),
          text(numbers.min),
          text(numbers.max),
        ];
  const shown = commonest
    ?.slice(0, 3)
    .map(({ value, share }) => `${value === "" ? '""' : value} ${percentText(share)}`);
  const [, feature = name] = name.split(":");
  return [
    key === undefined ? feature : `${feature}[${key}]`,
    list === true ? `${type}[]` : type,
    percentText(null_rate),
    ...figures,
    drift === null ? NOTHING : driftText(drift),
    shown?.join(", ") ?? "",
  ];
}

/** Pure. Rows in columns as wide as they need to be; text to the left, figures to the right. */
function tableOf(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = HEADER.map((_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  const pad = (cell: string, i: number): string =>
    i >= 2 && i <= 6 ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0);
  return rows.map((row) => `  ${row.map(pad).join("  ")}`.trimEnd());
}

function headOf({ view, version, profile, drift }: QualityEntry): readonly string[] {
  const name = version === null ? view : `${view}, version ${version}`;
  if (profile === null) return [name];
  const { entities, not_found: missing, outside_max_age: old } = profile;
  const parts = [
    counted(entities, "entity", "entities"),
    `${missing} without an event in any window`,
    ...(old > 0 ? [`${old} with old ones only`] : []),
    ...(drift === null ? [] : [`drift of that ${driftText(drift)}`]),
  ];
  const { event_age_ms: event, ingest_age_ms: ingest, entity_age_ms: ages } = profile;
  const fresh =
    event === null || ingest === null
      ? []
      : [
          `  newest event ${ageText(event)} before, latest taken in ${ageText(ingest)} before; ` +
            `an entity's newest event ${ageText(ages?.p50 ?? 0)} (p50), ${ageText(ages?.p95 ?? 0)} (p95)`,
        ];
  return [`${name}, on ${instantText(profile.taken_at)}: ${parts.join(", ")}`, ...fresh];
}

/** Pure. What is known of a view's quality, in lines for people. */
export const qualityText = (entry: QualityEntry): readonly string[] => [
  ...headOf(entry),
  ...(entry.profile === null ? [] : tableOf([HEADER, ...entry.features.map(rowOf)])),
  ...(entry.note === null ? [] : [`  ${entry.note}`]),
];

/** Pure. What drifted by more than that, and by more than chance may do. */
export const driftedAbove = (entry: QualityEntry, limit: number): readonly string[] =>
  [{ name: entry.view, key: undefined, drift: entry.drift }, ...entry.features].flatMap(
    ({ name, key, drift }) => {
      if (drift === null || drift.psi <= limit || drift.psi <= drift.noise) return [];
      return [`${key === undefined ? name : `${name}[${key}]`} (${drift.psi.toFixed(3)})`];
    },
  );
