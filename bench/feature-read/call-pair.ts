import { percentile } from "../../local/demo/words.ts";
import type { Called } from "../support/http-call.ts";
import { findChild, processCpuUs } from "../support/process-cpu.ts";
import { median, ratioOf, spreadOf } from "../support/rounds.ts";

/** Makes one call; another one for each turn. */
export type Call = (turn: number) => Promise<Called>;

interface Round {
  readonly p50: number;
  readonly p95: number;
}

const ROUNDS = 12;
const CPU_ROUNDS = 5;

async function call(make: Call, turn: number): Promise<number> {
  const { status, text, ms } = await make(turn);
  if (status !== 200) throw new Error(`a read answered ${status}: ${text.slice(0, 300)}`);
  return ms;
}

/** Calls both in turns, one call at a time, in rounds of `calls` each; the first round warms up. */
export async function callPair(freshet: Call, bare: Call, calls: number) {
  const rounds: { freshet: Round; bare: Round }[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const ms = { freshet: [] as number[], bare: [] as number[] };
    for (let turn = 0; turn < calls; turn += 1) {
      for (const name of turn % 2 === 0
        ? (["freshet", "bare"] as const)
        : (["bare", "freshet"] as const)) {
        ms[name].push(await call(name === "freshet" ? freshet : bare, turn));
      }
    }
    const statistics = (of: readonly number[]): Round => ({
      p50: percentile(of, 0.5),
      p95: percentile(of, 0.95),
    });
    if (round > 0) rounds.push({ freshet: statistics(ms.freshet), bare: statistics(ms.bare) });
  }
  const ours = rounds.map((round) => round.freshet);
  const theirs = rounds.map((round) => round.bare);
  const spreads = (of: readonly Round[]) => ({
    p50: spreadOf(of.map(({ p50 }) => p50)),
    p95: spreadOf(of.map(({ p95 }) => p95)),
  });
  return {
    freshet: spreads(ours),
    bare: spreads(theirs),
    p50Ratio: ratioOf(ours, theirs, ({ p50 }) => p50),
    p95Ratio: ratioOf(ours, theirs, ({ p95 }) => p95),
  };
}

/** CPU microseconds of the runtime, all its threads, per call; null where they cannot be seen. */
export async function workerdCpu(make: Call, calls: number): Promise<number | null> {
  const pid = findChild("workerd");
  if (pid === null) return null;
  const perCall: number[] = [];
  for (let round = 0; round < CPU_ROUNDS; round += 1) {
    const before = processCpuUs(pid, "workerd") ?? Number.NaN;
    for (let turn = 0; turn < calls; turn += 1) await call(make, turn);
    perCall.push(((processCpuUs(pid, "workerd") ?? Number.NaN) - before) / calls);
  }
  return median(perCall);
}
