import { describe, expect, it } from "vitest";
import { AppError } from "../../../src/errors.ts";
import { count, max } from "../../../src/features/aggregation.ts";
import { stateOfHistory } from "../../../src/features/build-view.ts";
import { featureView } from "../../../src/features/define.ts";
import type { EntityCommit, EntitySnapshot } from "../../../src/features/event-log.ts";
import type { HistoryLog } from "../../../src/features/history/history-log.ts";
import type { ViewPlan } from "../../../src/features/plan.ts";
import { compileDefinitions } from "../../../src/features/registry.ts";
import { foldRound } from "../../../src/ingest/fold-round.ts";
import { rowEvent, rows, type RowImage } from "../../support/changed-rows.ts";
import { foldedRow } from "../../support/folded-rows.ts";
import { device } from "../../support/views.ts";

const NOON = Date.UTC(2026, 5, 15, 12);
const view = featureView("most_of_rows", {
  entity: device,
  source: rows,
  features: { most: max("level"), n: count() },
});
const registry = compileDefinitions([device, rows, view]);
const plan = registry.views.get("most_of_rows") as ViewPlan;

const image = (key: string, level: number): RowImage => ({
  order: `${key}-${level}`,
  time: NOON,
  device: key,
  fields: { price: null, level, colour: null, on: null, spot: null },
});

/** Two rows each, of which one is taken back: of even entities the larger one. */
const snapshots = Array.from({ length: 12 }, (_, i): EntitySnapshot => {
  const key = `d${i}`;
  const ref = { tenant: "t", entity: "device", key };
  const events = [1, 2].map((level) => rowEvent(image(key, level), 1, level));
  const bytes = stateOfHistory(plan, { ...ref, version: 2, events });
  return {
    ...ref,
    version: 2,
    builds: 0,
    states: new Map([[plan.stateId, bytes]]),
    pending: [rowEvent(image(key, i % 2 === 0 ? 2 : 1), -1, 3)],
    waitingSince: [],
    erased: false,
  };
});

function foldAll(history: Pick<HistoryLog, "readEvents">) {
  const committed: EntityCommit[][] = [];
  const round = foldRound(
    {
      registry,
      history,
      log: {
        async commit(commits) {
          committed.push([...commits]);
          return { won: commits.map(() => true) };
        },
        readMet: async () => [],
      },
      now: () => NOON,
      refuse: async () => undefined,
    },
    {
      snapshots,
      complete: new Set([plan.stateId]),
      newerFor: new Set(),
      setsAside: false,
      views: new Set(["any"]),
    },
  );
  return { round, committed };
}

describe("a round of folds that need the past of their entities", () => {
  it("reads that of each once, of four at a time, and of no other", async () => {
    const keys: string[] = [];
    let [running, most] = [0, 0];
    const { round, committed } = foldAll({
      async readEvents(_tenant, _entity, slices) {
        const key = slices[0]?.key ?? "";
        keys.push(key);
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => void setTimeout(resolve, 2));
        running -= 1;
        const events = [2, 1].map((level) =>
          foldedRow({
            event: rowEvent(image(key, level), 1, level),
            device: key,
            image: image(key, level),
            knownAt: NOON,
            version: level,
          }),
        );
        return { events, rest: [] };
      },
    });
    expect(await round).toMatchObject({ folded: 12, refused: 0, lost: [], left: [] });
    expect(keys.toSorted()).toEqual(["d0", "d10", "d2", "d4", "d6", "d8"]);
    expect(most).toBe(4);
    expect(committed).toHaveLength(1);
    for (const [i, { key, states }] of (committed[0] ?? []).entries()) {
      const left = [rowEvent(image(key, i % 2 === 0 ? 1 : 2), 1, 1)];
      const ref = { tenant: "t", entity: "device", key };
      const { ingestTime } = snapshots[i]?.pending[0] ?? left[0] ?? { ingestTime: 0 };
      const events = left.map((event) => ({ ...event, ingestTime }));
      expect(states[0]?.bytes).toBe(stateOfHistory(plan, { ...ref, version: 3, events }));
    }
  });

  it("leaves those whose past cannot be read, and finishes the others", async () => {
    const { round, committed } = foldAll({
      readEvents: async () => {
        throw new AppError("dependency_unavailable", "the log is down");
      },
    });
    const outcome = await round;
    expect(outcome.left.map(({ key }) => key)).toEqual(["d0", "d2", "d4", "d6", "d8", "d10"]);
    expect(committed[0]?.map(({ key }) => key)).toEqual(["d1", "d3", "d5", "d7", "d9", "d11"]);
    expect(outcome.folded).toBe(6);
  });
});
