import { expect } from "vitest";
import { readHistory } from "../../src/features/read-history.ts";
import { readOnline } from "../../src/features/read-online.ts";
import type { Registry } from "../../src/features/registry.ts";
import {
  expectedPaths,
  PATH_VIEWS,
  seenBy,
  type PathOptions,
  type PathView,
  type Step,
} from "./paths.ts";
import type { Truth } from "./stores.ts";
import { vault, type Ports } from "./write-path.ts";

export const PATH_KEYS: Readonly<Record<PathView, readonly string[]>> = {
  ad_orders: ["a1", "a2"],
  shopper_paths: ["ada", "bob", "ぶどう,%"],
  ad_clicks: ["a1", "a2"],
};
const COLUMNS: Readonly<Record<PathView, string>> = {
  ad_orders: "ad",
  shopper_paths: "who",
  ad_clicks: "ad",
};

export interface Played {
  readonly truth: Truth;
  readonly ports: Ports;
  readonly tenant: string;
  readonly registry: Registry;
  readonly options: PathOptions;
}

/** The features are what the distinct steps say: online, and in history by version and by time. */
export async function expectPaths(
  { truth, ports, tenant, registry, options }: Played,
  steps: readonly Step[],
  now: number,
  keys = PATH_KEYS,
  views = PATH_VIEWS,
): Promise<void> {
  const history = {
    registry,
    vault,
    history: truth.historyLog,
    definitions: truth.definitionStore,
    now: () => now,
  };
  for (const view of views) {
    const entities = keys[view].map((key) => ({ [COLUMNS[view]]: key }));
    const online = await readOnline(
      { registry, online: ports.online, vault, now: () => now, whenIncomplete: "unavailable" },
      { tenant, features: [view], entities },
    );
    const expected = keys[view].map((key) =>
      expectedPaths(registry, view, seenBy(view, key, steps, options), online.asOf),
    );
    expect(online.results.map(({ values }) => values)).toEqual(expected);
    const rows = online.results.map(({ entity, version }) => ({
      entity,
      version,
      at: online.asOf,
    }));
    const again = await readHistory(history, { tenant, features: [view], rows });
    expect(again.rows.map(({ values }) => values)).toEqual(expected);
    const latest = entities.map((entity) => ({ entity, at: online.asOf }));
    const asked = { tenant, features: [view], rows: latest, known: "latest" as const };
    expect((await readHistory(history, asked)).rows.map(({ values }) => values)).toEqual(expected);
  }
  expect(await ports.log.findUnfinished(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
}

/** V(T, K) is what the definition says of the steps known at K, at any T. */
export async function expectKnownPaths(
  { truth, tenant, registry, options }: Played,
  steps: readonly Step[],
  moments: readonly (readonly [number, number])[],
  now: number,
  views = PATH_VIEWS,
): Promise<void> {
  const { historyLog, definitionStore } = truth;
  const history = { registry, vault, history: historyLog, definitions: definitionStore };
  for (const view of views) {
    for (const key of PATH_KEYS[view]) {
      const rows = moments.map(([at, knownAt]) => ({
        entity: { [COLUMNS[view]]: key },
        at,
        knownAt,
      }));
      const asked = { tenant, features: [view], rows };
      const { rows: answers } = await readHistory({ ...history, now: () => now }, asked);
      for (const [i, { at, knownAt }] of rows.entries()) {
        const known = steps.filter((step) => (step.known ?? 0) <= knownAt);
        const seen = seenBy(view, key, known, options).filter(({ time }) => time < at);
        expect(answers[i]?.values).toEqual(expectedPaths(registry, view, seen, at));
      }
    }
  }
}
