import { table } from "../local/demo/words.ts";
import type { Benchmark, BenchmarkResult, Finding } from "./benchmark.ts";
import { foldCost } from "./consumer/fold-cost.ts";
import { openScenario, type Scenario } from "./consumer/scenario.ts";
import {
  perSecond,
  summarise,
  summaryCells,
  SUMMARY_HEADER,
  waitText,
  whole,
  type Summary,
} from "./consumer/summary.ts";
import { tableSizes } from "./consumer/table-sizes.ts";
import { variantsAt, type Variant } from "./consumer/variants.ts";
import { alternate, ratioOf, spreadText } from "./support/rounds.ts";
import type { Popularity } from "./support/payments.ts";
import { openStores, type Stores } from "./support/stores.ts";

const ROUNDS = { short: 3, full: 7 };
const AIM = 3_000;

/** How far away the stores are: on this machine, and as a Worker in the same region has them. */
const ROUND_TRIPS_MS = [0, 10] as const;

/** Keys, and how much faster four consumers should be than one, where each waits for its stores. */
const POPULARITIES: readonly (readonly [Popularity, string, number])[] = [
  ["even", "all keys alike", 2],
  ["zipf", "keys by Zipf's law", 1],
  ["one_merchant", "one merchant for all", 1],
  ["one_pair", "one customer at one merchant", 1],
];

export const consumer: Benchmark = {
  name: "consumer",
  meaning:
    "Payments of 10,000 customers at 10,000 merchants per second through consume(), with the real " +
    "adapters, façades and stores, beside two plain ways of writing the same events: a row each, " +
    "and rows merged into tiles by SQL (count, sum and maximum, and nothing reaches Redis). CPU " +
    "and WAL are per event, requests per batch. A contribution waits from sending its append to " +
    "the answer that it is folded. Once with the stores beside the consumers, where all share the " +
    "machine's cores, and once with 10 ms to each store and back, as a Worker's consumers have it.",
  async run(say, { full }): Promise<BenchmarkResult> {
    const findings: Finding[] = [];
    const data: Record<string, unknown> = {};
    for (const [popularity, words, aim] of POPULARITIES) {
      const stores = await openStores();
      try {
        if (popularity === "even") say([stores.description, ""]);
        const measured = await measure(stores, popularity, full ? ROUNDS.full : ROUNDS.short);
        say([`With ${words}:`, ...linesOf(measured), ""]);
        data[popularity] = measured;
        findings.push(
          ...measured.distances.flatMap((distance) => [
            ...speedsOf(words, distance, stores.isServer),
            ...gainOf(words, distance, stores.isServer ? aim : null),
          ]),
        );
      } finally {
        await stores.close();
      }
    }
    return { findings, data };
  },
};

async function measure(stores: Stores, popularity: Popularity, rounds: number) {
  const scenario = await openScenario(stores, popularity);
  const distances = [];
  for (const roundTripMs of ROUND_TRIPS_MS) {
    distances.push(await measureAt(scenario, roundTripMs, rounds));
  }
  await scenario.check();
  return {
    distances,
    fold: foldCost(scenario.log.seen),
    tables: await tableSizes(scenario.engine.sql, scenario.applied()),
    events: scenario.applied(),
  };
}

async function measureAt(scenario: Scenario, roundTripMs: number, rounds: number) {
  const variants = variantsAt(roundTripMs);
  const turns = variants.map(
    ({ run }) =>
      () =>
        run(scenario),
  );
  const runs = await alternate(rounds, turns);
  const runsOf = (is: Variant["is"], consumers: number) =>
    runs[variants.findIndex((one) => one.is === is && one.consumers === consumers)] ?? [];
  const gain = (is: Variant["is"]) => ratioOf(runsOf(is, 4), runsOf(is, 1), perSecond);
  return {
    roundTripMs,
    variants: variants.map(({ name, consumers, is }, i) => ({
      name,
      consumers,
      is,
      ...summarise(runs[i] ?? []),
      besidePlain: ratioOf(runs[i] ?? [], runsOf("tiles", 4), perSecond),
    })),
    /** Four consumers beside one. */
    gain: { freshet: gain("freshet"), tiles: gain("tiles") },
  };
}

type Measured = Awaited<ReturnType<typeof measure>>;
type Distance = Measured["distances"][number];

function linesOf({ distances, fold, tables, events }: Measured): readonly string[] {
  const sizes = Object.entries(tables).map(([name, bytes]) => `${name} ${whole(bytes)}`);
  const rows = distances.flatMap(({ roundTripMs, variants }) => [
    [roundTripMs === 0 ? "stores beside" : `stores ${roundTripMs} ms away`],
    ...variants.map((one) => [`  ${one.name}`, ...summaryCells(one)]),
  ]);
  return [
    ...table([
      SUMMARY_HEADER,
      ...rows.map((cells) => SUMMARY_HEADER.map((_, i) => cells[i] ?? "")),
    ]),
    `  The pure fold of an event, for its customer and its merchant: ` +
      `${whole(2 * fold.usPerContribution)} µs of CPU.`,
    `  Bytes per event after ${whole(events)} of them: ${sizes.join(", ")}.`,
  ];
}

/** CPU microseconds of an event; null where the server's cannot be seen. */
const cpuOf = ({ cpuUs: { consumers, facades, postgres } }: Summary): number | null =>
  postgres === null ? null : consumers + facades + postgres;

/** How many cores the benchmark kept busy: where it is below two, somebody else had them. */
function coresText(summary: Summary): string {
  const cpu = cpuOf(summary);
  return cpu === null ? "?" : ((cpu * summary.perSecond.median) / 1e6).toFixed(1);
}

const ratio = (n: number): string => n.toFixed(2);

/** Events a second where everything is on this machine. */
function speedsOf(words: string, distance: Distance, isServer: boolean): readonly Finding[] {
  if (distance.roundTripMs > 0) return [];
  return distance.variants
    .filter(({ is, consumers }) => consumers === 4 && (is === "freshet" || is === "large batches"))
    .map((one) => {
      const cpu = cpuOf(one);
      return {
        what: `events/s, ${words}, ${one.name.replace("Freshet, ", "")}`,
        measured: spreadText(one.perSecond, whole),
        beside:
          `${ratio(one.besidePlain.median)} × tiles merged by SQL` +
          (cpu === null ? "" : `; CPU for ${whole(2e6 / cpu)}`),
        aim: isServer ? `≥ ${whole(AIM)}` : "",
        met: isServer ? one.perSecond.median >= AIM : null,
      };
    });
}

/** What four consumers gain over one, what they lose to each other, and how long events wait. */
function gainOf(words: string, distance: Distance, aim: number | null): readonly Finding[] {
  const { roundTripMs, variants, gain } = distance;
  const of = (consumers: number): Summary | undefined =>
    variants.find((one) => one.is === "freshet" && one.consumers === consumers);
  const [one, four] = [of(1), of(4)];
  if (one?.wait === undefined || four?.wait === undefined) return [];
  const where = roundTripMs === 0 ? "stores beside" : `stores ${roundTripMs} ms away`;
  // Beside the stores one consumer keeps a core busy: the gain is what the machine has left.
  const least = roundTripMs === 0 ? null : aim;
  const [cpu, cpuOfOne] = [cpuOf(four), cpuOf(one)];
  const more =
    cpu === null || cpuOfOne === null ? "" : `, CPU per event × ${ratio(cpu / cpuOfOne)}`;
  return [
    {
      what: `4 consumers : 1, ${words}, ${where}`,
      measured: spreadText(gain.freshet, ratio),
      beside:
        `tiles merged by SQL ${ratio(gain.tiles.median)}; ` +
        `cores busy ${coresText(one)}, ${coresText(four)}${more}`,
      aim: least === null ? "" : `≥ ${least}`,
      met: least === null ? null : gain.freshet.median >= least,
    },
    {
      what: `ms until folded, mean/p95/worst, ${words}, ${where}`,
      measured: four.wait === null ? "" : waitText(four.wait),
      beside:
        `one consumer ${one.wait === null ? "" : waitText(one.wait)}; ` +
        `${((four.lost ?? 0) * 100).toFixed(1)} % of compare-and-sets lost, ` +
        `${four.left} left to a later fold; ${four.resent} deadlocks retried`,
      aim: "",
      met: null,
    },
  ];
}
