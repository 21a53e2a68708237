import { table } from "../local/demo/words.ts";
import type { Benchmark, BenchmarkResult, Finding } from "./benchmark.ts";
import { foldCost } from "./consumer/fold-cost.ts";
import { openScenario, type Run, type Scenario } from "./consumer/scenario.ts";
import {
  perSecond,
  summarise,
  summaryCells,
  SUMMARY_HEADER,
  whole,
  type Summary,
} from "./consumer/summary.ts";
import { tableSizes } from "./consumer/table-sizes.ts";
import { alternate, ratioOf, spreadText } from "./support/rounds.ts";
import type { Popularity } from "./support/payments.ts";
import { openStores, type Stores } from "./support/stores.ts";

const ROUNDS = 3;
const EVENTS = 3_000;
const AIM = 3_000;

const POPULARITIES: readonly (readonly [Popularity, string])[] = [
  ["even", "all keys alike"],
  ["zipf", "keys by Zipf's law"],
  ["one_merchant", "one merchant for all"],
];

interface Variant {
  readonly name: string;
  readonly run: (scenario: Scenario) => Promise<Run>;
  /** Whether it is one of those that the aim is for. */
  readonly counts: boolean;
}

/** A hundred messages of an event each, as webhooks bring them. */
const hundreds = (consumers: number) => ({ perMessage: 1, messages: 100, consumers });
/** Ten messages of fifty events, as backfills bring them. */
const fiveHundreds = { perMessage: 50, messages: 10, consumers: 4 };

const PLAIN: Variant = {
  name: "tiles merged by SQL, 4 writers, batches of 100",
  run: (scenario) => scenario.tiles(hundreds(4), EVENTS),
  counts: false,
};

const VARIANTS: readonly Variant[] = [
  ...[1, 4, 8].map((consumers): Variant => ({
    name: `Freshet, ${consumers} consumer${consumers > 1 ? "s" : ""}, batches of 100`,
    run: (scenario) => scenario.freshet(hundreds(consumers), EVENTS),
    counts: consumers === 4,
  })),
  {
    name: "Freshet, 4 consumers, batches of 500",
    run: (scenario) => scenario.freshet(fiveHundreds, EVENTS),
    counts: true,
  },
  PLAIN,
  {
    name: "rows alone, 4 writers, batches of 100",
    run: (scenario) => scenario.rows(hundreds(4), EVENTS),
    counts: false,
  },
];

export const consumer: Benchmark = {
  name: "consumer",
  meaning:
    "Payments of 10,000 customers at 10,000 merchants per second through consume(), with the real " +
    "adapters, façades and stores, beside two plain ways of writing the same events: a row each, " +
    "and rows merged into tiles by SQL (count, sum and maximum, and nothing reaches Redis). CPU " +
    "and WAL are per event, requests per batch.",
  async run(say): Promise<BenchmarkResult> {
    const findings: Finding[] = [];
    const data: Record<string, unknown> = {};
    for (const [popularity, words] of POPULARITIES) {
      const stores = await openStores();
      try {
        if (popularity === "even") say([stores.description, ""]);
        const measured = await measure(stores, popularity);
        say([`With ${words}:`, ...linesOf(measured), ""]);
        data[popularity] = measured;
        findings.push(...findingsOf(words, measured, stores.isServer));
      } finally {
        await stores.close();
      }
    }
    return { findings, data };
  },
};

async function measure(stores: Stores, popularity: Popularity) {
  const scenario = await openScenario(stores, popularity);
  const turns = VARIANTS.map(
    ({ run }) =>
      () =>
        run(scenario),
  );
  const runs = await alternate(ROUNDS, turns);
  await scenario.check();
  const plain = runs[VARIANTS.indexOf(PLAIN)] ?? [];
  return {
    variants: VARIANTS.map(({ name, counts }, i) => ({
      name,
      counts,
      ...summarise(runs[i] ?? []),
      besidePlain: ratioOf(runs[i] ?? [], plain, perSecond),
    })),
    fold: foldCost(scenario.log.seen),
    tables: await tableSizes(scenario.engine.sql, scenario.applied()),
    events: scenario.applied(),
  };
}

type Measured = Awaited<ReturnType<typeof measure>>;

function linesOf({ variants, fold, tables, events }: Measured): readonly string[] {
  const sizes = Object.entries(tables).map(([name, bytes]) => `${name} ${whole(bytes)}`);
  return [
    ...table([SUMMARY_HEADER, ...variants.map((one) => [one.name, ...summaryCells(one)])]),
    `  The pure fold of an event, for its customer and its merchant: ` +
      `${whole(2 * fold.usPerContribution)} µs of CPU.`,
    `  Bytes per event after ${whole(events)} of them: ${sizes.join(", ")}.`,
  ];
}

/** How many events a second two cores could take that did nothing else and never waited. */
function mostOf({ cpuUs: { consumers, facades, postgres } }: Summary): string {
  if (postgres === null) return "";
  return `; CPU for ${whole(2e6 / (consumers + facades + postgres))}`;
}

const findingsOf = (words: string, { variants }: Measured, isServer: boolean): readonly Finding[] =>
  variants
    .filter(({ counts }) => counts)
    .map((one) => ({
      what: `events/s, ${words}, ${one.name.replace("Freshet, ", "")}`,
      measured: spreadText(one.perSecond, whole),
      beside: `${one.besidePlain.median.toFixed(2)} × tiles merged by SQL${mostOf(one)}`,
      aim: isServer ? `≥ ${whole(AIM)}` : "",
      met: isServer ? one.perSecond.median >= AIM : null,
    }));
