import { grouped, percentile } from "../../local/demo/words.ts";
import { median, spreadOf, type Spread } from "../support/rounds.ts";
import type { Used } from "./meters.ts";
import type { Run } from "./scenario.ts";

/** What the rounds of one variant came to: medians of the rounds, per event unless it says so. */
export interface Summary {
  readonly perSecond: Spread;
  readonly batchMs: { readonly p50: number; readonly p95: number };
  readonly requestsPerBatch: { readonly postgres: number; readonly redis: number };
  /** Share of compare-and-sets; null where there are none. */
  readonly lost: number | null;
  readonly cpuUs: {
    readonly consumers: number;
    readonly facades: number;
    readonly postgres: number | null;
  };
  readonly walBytes: number;
  /** Per contribution, milliseconds until it was folded; null where nothing is. */
  readonly wait: { readonly mean: number; readonly p95: number; readonly worst: number } | null;
  /** Statements that lost a deadlock and were sent again, in all rounds. */
  readonly resent: number;
  /** Entities left to a later fold, in all rounds. */
  readonly left: number;
}

export const perSecond = ({ events, ms }: Run): number => (events / ms) * 1_000;

function waitOf(ms: readonly number[]): Summary["wait"] {
  if (ms.length === 0) return null;
  const mean = ms.reduce((a, b) => a + b, 0) / ms.length;
  const worst = ms.reduce((a, b) => Math.max(a, b), 0);
  return { mean, p95: percentile(ms, 0.95), worst };
}

/** Pure. */
export function summarise(runs: readonly Run[]): Summary {
  const middle = (pick: (run: Run) => number): number => median(runs.map(pick));
  const perEvent = (pick: (used: Used) => number): number =>
    middle(({ used, events }) => pick(used) / events);
  const batches = runs.flatMap(({ batchMs }) => batchMs);
  const won = runs.reduce((sum, { commits }) => sum + commits.won, 0);
  const lost = runs.reduce((sum, { commits }) => sum + commits.lost, 0);
  const postgres = perEvent(({ postgresUs }) => postgresUs ?? Number.NaN);
  return {
    perSecond: spreadOf(runs.map(perSecond)),
    batchMs: { p50: percentile(batches, 0.5), p95: percentile(batches, 0.95) },
    requestsPerBatch: {
      postgres: middle(({ used, batchMs }) => used.requests.postgres / batchMs.length),
      redis: middle(({ used, batchMs }) => used.requests.redis / batchMs.length),
    },
    lost: won + lost === 0 ? null : lost / (won + lost),
    cpuUs: {
      consumers: perEvent(({ consumersUs }) => consumersUs),
      facades: perEvent(({ facadesUs }) => facadesUs),
      postgres: Number.isNaN(postgres) ? null : postgres,
    },
    walBytes: perEvent(({ walBytes }) => walBytes),
    wait: waitOf(runs.flatMap(({ waitMs }) => waitMs)),
    resent: runs.reduce((sum, { resent }) => sum + resent, 0),
    left: runs.reduce((sum, { left }) => sum + left, 0),
  };
}

export const whole = (n: number): string => grouped(Math.round(n));

/** Pure. "41/80/95". */
export const waitText = ({ mean, p95, worst }: NonNullable<Summary["wait"]>): string =>
  [mean, p95, worst].map(whole).join("/");

/** Above the cells of `summaryCells`, the first of which names the variant. */
export const SUMMARY_HEADER = [
  "",
  "events/s",
  "lowest–highest",
  "batch ms p50/p95",
  "requests to Postgres + Redis",
  "lost",
  "ms until folded mean/p95/worst",
  "left",
  "deadlocks",
  "CPU µs: consumers + façades + Postgres",
  "WAL bytes",
];

/** Pure. */
export function summaryCells(summary: Summary): readonly string[] {
  const { perSecond: rate, batchMs, requestsPerBatch, lost, cpuUs, walBytes, wait } = summary;
  return [
    whole(rate.median),
    `${whole(rate.lowest)}–${whole(rate.highest)}`,
    `${whole(batchMs.p50)}/${whole(batchMs.p95)}`,
    `${requestsPerBatch.postgres.toFixed(1)} + ${requestsPerBatch.redis.toFixed(0)}`,
    lost === null ? "" : `${(lost * 100).toFixed(1)} %`,
    wait === null ? "" : waitText(wait),
    wait === null ? "" : String(summary.left),
    wait === null ? "" : String(summary.resent),
    [cpuUs.consumers, cpuUs.facades, cpuUs.postgres]
      .map((us) => (us === null ? "?" : whole(us)))
      .join(" + "),
    whole(walBytes),
  ];
}
