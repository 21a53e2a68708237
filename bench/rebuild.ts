import { grouped, table } from "../local/demo/words.ts";
import type { Benchmark, BenchmarkResult, Finding } from "./benchmark.ts";
import { groupBy } from "./rebuild/plain.ts";
import { sendAgain } from "./rebuild/send-again.ts";
import { openYard, type Applied, type Shape, type Yard } from "./rebuild/yard.ts";
import { median, spreadOf, spreadText } from "./support/rounds.ts";
import { openStores } from "./support/stores.ts";

const ROUNDS = 3;

const SHAPES: readonly (readonly [string, Shape])[] = [
  ["many small entities", { entities: 5_000, eventsEach: 4 }],
  ["typical ones", { entities: 500, eventsEach: 100 }],
  ["a few large ones", { entities: 10, eventsEach: 4_000 }],
];
const FULL = 10;

export const rebuild: Benchmark = {
  name: "rebuild",
  meaning:
    "A new view of ten windowed features built by applyDefinitions() from the log of 5,000 " +
    "entities of 4 events, 500 of 100 and 10 of 4,000 (--full: ten times as many entities), with " +
    "everything that was there before left as it is. Beside it, the same features of all entities " +
    "for one instant by one SQL statement, from the log and from a table made for it, which keeps " +
    "nothing that could slide on; and the same events sent through four consumers again.",
  async run(say, { full }): Promise<BenchmarkResult> {
    const findings: Finding[] = [];
    const data: Record<string, unknown> = {};
    for (const [words, { entities, eventsEach }] of SHAPES) {
      const shape = { entities: entities * (full ? FULL : 1), eventsEach };
      const stores = await openStores();
      try {
        if (findings.length === 0) say([stores.description, ""]);
        const yard = await openYard(stores, shape);
        const measured = await measure(yard, shape);
        const title = `${words}: ${grouped(shape.entities)} of ${grouped(eventsEach)} events`;
        say([`With ${title}:`, ...linesOf(measured), ""]);
        data[words] = measured;
        findings.push(...findingsOf(words, measured));
      } finally {
        await stores.close();
      }
    }
    return { findings, data };
  },
};

/** Rounds of: a build, both statements, sending again; then what is applied with nothing new. */
async function measure(yard: Yard, shape: Shape) {
  const { engine, events } = yard;
  const rounds = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = await yard.fingerprint();
    const built = await yard.apply(round);
    const rewritten = before !== (await yard.fingerprint());
    if (built.built.size !== 1)
      throw new Error(`${built.built.size} views were built instead of one`);
    rounds.push({
      built,
      rewritten,
      perSecond: (events / built.ms) * 1_000,
      log: (events / (await groupBy(engine.sql, "log"))) * 1_000,
      table: (events / (await groupBy(engine.sql, "table"))) * 1_000,
      again: await sendAgain(engine, shape, round),
    });
  }
  const unchanged = await yard.apply(ROUNDS - 1);
  return {
    events,
    entities: shape.entities,
    rounds,
    unchanged,
    stateBytes: await stateBytes(yard),
  };
}

/** Bytes of the packed states of the last view that was built, in all. */
async function stateBytes({ engine }: Yard): Promise<number> {
  const [row] = await engine.sql.query(
    `SELECT sum(octet_length(bytes))::text AS bytes FROM entity_states
      WHERE tenant = 'bench' AND state_id LIKE $1`,
    [`ten_${ROUNDS - 1}@%`],
  );
  return Number(row?.["bytes"]);
}

type Measured = Awaited<ReturnType<typeof measure>>;
type RoundOfRebuild = Measured["rounds"][number];

const whole = (n: number): string => grouped(Math.round(n));
const ratio = (n: number): string => (n < 10 ? n.toFixed(2) : n.toFixed(0));

const cpuText = ({ used }: Applied, events: number): string =>
  [used.consumersUs, used.facadesUs, used.postgresUs]
    .map((us) => (us === null ? "?" : whole(us / events)))
    .join(" + ");

function linesOf({ events, entities, rounds, unchanged, stateBytes: bytes }: Measured) {
  const spread = (pick: (round: RoundOfRebuild) => number): string =>
    spreadText(spreadOf(rounds.map(pick)), whole);
  const [last] = rounds.slice(-1);
  if (last === undefined) return [];
  const { built } = last;
  const { traffic, used } = built;
  const middle = (pick: (applied: Applied) => number): number =>
    median(rounds.map((round) => pick(round.built)));
  return [
    ...table([
      ["", "events/s"],
      ["rebuilt from the log", spread((round) => round.perSecond)],
      ["one SQL statement, from the log", spread((round) => round.log)],
      ["one SQL statement, from a table", spread((round) => round.table)],
      ["sent again, 4 consumers, batches of 500", spread((round) => round.again)],
    ]),
    `  ${(middle(({ ms }) => ms) / 1e3).toFixed(1)} s, ${whole(entities / (middle(({ ms }) => ms) / 1e3))} entities/s; CPU µs per event: ` +
      `${cpuText(built, events)} (apply + façades + Postgres).`,
    `  ${whole(used.requests.postgres)} requests to Postgres, ${whole(used.requests.redis)} to Redis; ` +
      `per event ${whole(traffic.received / events)} bytes read, ${whole(used.walBytes / events)} of WAL; ` +
      `per entity ${whole(traffic.sent / entities)} sent, ${whole(bytes / entities)} of packed state.`,
    `  Applied again: ${unchanged.traffic.statements} statements, ${Math.round(unchanged.ms)} ms. States of ` +
      `the other view were written again in ${rounds.filter(({ rewritten }) => rewritten).length} of ${rounds.length} builds.`,
  ];
}

function findingsOf(words: string, { rounds, unchanged }: Measured): readonly Finding[] {
  const beside = (pick: (round: RoundOfRebuild) => number): string =>
    ratio(median(rounds.map((round) => round.perSecond / pick(round))));
  const rewritten = rounds.filter((round) => round.rewritten).length;
  return [
    {
      what: `events/s rebuilt, ${words}`,
      measured: spreadText(spreadOf(rounds.map(({ perSecond }) => perSecond)), whole),
      beside:
        `one SQL statement from the log ${beside(({ log }) => log)} ×, ` +
        `sending again ${beside(({ again }) => again)} ×`,
      aim: "",
      met: null,
    },
    {
      what: `builds that wrote the other view's states, ${words}`,
      measured: String(rewritten),
      beside: `applied again: ${unchanged.traffic.statements} statements, ${unchanged.built.size} views built`,
      aim: "0",
      met: rewritten === 0 && unchanged.built.size === 0,
    },
  ];
}
