import { grouped, table } from "../local/demo/words.ts";
import type { Benchmark, BenchmarkResult, Finding } from "./benchmark.ts";
import { tableSizes } from "./consumer/table-sizes.ts";
import { applyPayments, CROWDS } from "./states/crowds.ts";
import { bytesPerRow, storeRows } from "./states/event-rows.ts";
import { measureView, type Lab } from "./states/measure.ts";
import { redisRunner } from "./states/redis.ts";
import { registry, VIEWS } from "./states/views.ts";
import { openEngine } from "./support/engine.ts";
import { spreadText } from "./support/rounds.ts";
import { openStores } from "./support/stores.ts";

export const states: Benchmark = {
  name: "states",
  meaning:
    "What a view's state of one entity takes and what its online read costs, for entities with 3, " +
    "60 and 4,000 payments in sixty days: tiles, bytes, CPU of decoding and assembling, and the " +
    "time of reading one entity, or all of such a crowd at once, through the façades. Beside it, " +
    "two plain ways of keeping the same: a Redis hash for each tile, of which a read asks for all " +
    "that it may need (and merges nothing here), and a row for each event, of which SQL computes " +
    "the same features for each entity.",
  async run(say): Promise<BenchmarkResult> {
    const stores = await openStores();
    try {
      const engine = await openEngine(stores, registry);
      const now = Date.now();
      const payments = await applyPayments(engine, now);
      await storeRows(engine.sql, payments);
      const rowBytes = await bytesPerRow(engine.sql, payments.length);
      const lab: Lab = { engine, redis: redisRunner(stores), asOf: now };
      const measured: Measured[] = [];
      for (const crowd of CROWDS) {
        for (const view of VIEWS) measured.push(await measureView(lab, crowd, view));
      }
      const tables = await tableSizes(engine.sql, payments.length);
      say([
        stores.description,
        "",
        ...linesOf(measured, rowBytes),
        `  Freshet keeps the events as well, for history: ${whole(tables["events"] ?? null)} bytes ` +
          `each, and ${whole(tables["entity_log"] ?? null)} that say when it was known of its two ` +
          "entities; no read and no fold needs them.",
        "",
      ]);
      return { findings: findingsOf(measured, rowBytes), data: { measured, rowBytes, tables } };
    } finally {
      await stores.close();
    }
  },
};

type Measured = Awaited<ReturnType<typeof measureView>>;

const whole = (n: number | null): string =>
  n === null || Number.isNaN(n) ? "?" : grouped(Math.round(n));
const ms = (n: number): string => n.toFixed(1);
const times = (n: number): string => n.toFixed(1);

/** The memory of the state's key where Redis tells it, else the length of its name and value. */
const ours = ({ redis }: Measured): number => redis.memory ?? redis.length;
const hashes = ({ redis }: Measured): number =>
  redis.memory === null ? redis.hashesLength : redis.hashes;

const timesText = ({ ms: { freshet, hashes: byTile, sql } }: Measured["one"]): string =>
  [freshet, byTile, sql].map(({ median }) => ms(median)).join("/");

function linesOf(measured: readonly Measured[], rowBytes: number): readonly string[] {
  const told = measured.every(({ redis }) => redis.memory !== null);
  return [
    ...table([
      [
        "one entity, one view",
        "payments",
        "features",
        "tiles kept/read/asked for",
        "value",
        "Redis: state/hashes",
        "Postgres: state/rows",
        "CPU µs",
        "ms of one: read/hashes/SQL",
        "ms of many at once",
      ],
      ...measured.map((one) => [
        one.view,
        grouped(one.events),
        String(one.features),
        [one.tiles.kept, one.tiles.merged, one.tiles.covered].map(whole).join("/"),
        whole(one.redis.value),
        `${whole(ours(one))}/${whole(hashes(one))}`,
        `${whole(one.postgres)}/${whole(one.events * rowBytes)}`,
        one.cpuUs.toFixed(1),
        timesText(one.one),
        `${one.entities}: ${timesText(one.all)}`,
      ]),
    ]),
    told
      ? "  Redis: memory of the keys, as MEMORY USAGE says."
      : "  Redis: lengths of names and values, since this one does not tell its memory.",
    "  Read is what a read merges of what is kept; asked for, what it would ask hashes for.",
    `  A row of an event takes ${whole(rowBytes)} bytes with its key and the index of one entity.`,
  ];
}

function findingsOf(measured: readonly Measured[], rowBytes: number): readonly Finding[] {
  const differing = measured.reduce((sum, one) => sum + one.differing, 0);
  return [
    ...measured
      .filter(({ view, events }) => events > 3 && (view === "customer_spend" || view === "wide"))
      .flatMap((one) => [
        {
          what: `bytes of ${one.view}, ${grouped(one.events)} payments`,
          measured: `${whole(ours(one))} in Redis, ${whole(one.postgres)} in Postgres`,
          beside:
            `a hash per tile ${times(hashes(one) / ours(one))} ×, ` +
            `a row per event ${times((one.events * rowBytes) / one.postgres)} ×`,
          aim: "",
          met: null,
        },
        {
          what: `ms to read ${one.entities} × ${one.view}, ${grouped(one.events)} payments`,
          measured: spreadText(one.all.ms.freshet, ms),
          beside:
            `a hash per tile ${times(one.all.besideHashes.median)} ×, ` +
            `SQL over the events ${times(one.all.besideSql.median)} ×`,
          aim: "",
          met: null,
        },
      ]),
    {
      what: "tiles merged by a read, at most",
      measured: whole(Math.max(...measured.map(({ tiles }) => tiles.merged))),
      beside: `of ${whole(Math.max(...measured.map(({ tiles }) => tiles.kept)))} that are kept, for all windows of a view`,
      aim: "",
      met: null,
    },
    {
      what: "features unlike SQL's",
      measured: String(differing),
      beside: `of ${grouped(measured.reduce((sum, one) => sum + one.entities, 0))} entities`,
      aim: "0",
      met: differing === 0,
    },
  ];
}
