import { describe, expect, it } from "vitest";
import { buildView, stateOfHistory } from "../../../src/features/build-view.ts";
import type { EntityHistory } from "../../../src/features/definition-store.ts";
import type { ViewPlan } from "../../../src/features/plan.ts";
import { decodeState, emptyState, encodeState, openState } from "../../../src/features/state.ts";
import { DAY_MS } from "../../../src/time.ts";
import { NOON, readingEvent } from "../../support/world.ts";
import { registry } from "../../support/write-path.ts";

const plan = registry.views.get("by_device") as ViewPlan;

const history = (key: string, version = 1): EntityHistory => ({
  tenant: "t",
  entity: "device",
  key,
  version,
  events: Array.from({ length: version }, (_, i) => readingEvent(`${key}-${i}`, { device: key })),
});

interface Calls {
  readonly pages: (string | null)[];
  readonly sizes: number[];
  readonly online: string[];
  complete: boolean;
}

/** Builds over pages of histories; each writing answers what `moved` says of its keys. */
async function build(
  pages: readonly (readonly EntityHistory[])[],
  moved: readonly (readonly string[])[] = [],
): Promise<Calls & { readonly built: number; readonly progress: readonly number[] }> {
  const calls: Calls = { pages: [], sizes: [], online: [], complete: false };
  const progress: number[] = [];
  let writing = 0;
  const built = await buildView(
    {
      definitions: {
        async readHistories(entity, after, most) {
          expect(entity).toBe("device");
          calls.pages.push(after?.key ?? null);
          calls.sizes.push(most.entities);
          return pages[calls.pages.length - 1] ?? [];
        },
        async putBuiltStates(states) {
          const gone = moved[writing] ?? [];
          writing += 1;
          return states.map(({ key }) => !gone.includes(key));
        },
        async markComplete(stateId) {
          expect(stateId).toBe(plan.stateId);
          calls.complete = true;
        },
      },
      online: {
        async write(writes) {
          expect(calls.complete).toBe(false);
          calls.online.push(writes.map(({ key, version }) => `${key}@${version}`).join(" "));
          return writes.map(() => true);
        },
      },
      progress: (entities) => void progress.push(entities),
    },
    plan,
  );
  return { ...calls, built, progress };
}

describe("building a view", () => {
  it("walks all pages, and is complete after the last", async () => {
    const all = await build([[history("a"), history("b")], [history("c")]]);
    expect(all).toEqual({
      pages: [null, "b", "c"],
      sizes: [500, 500, 500],
      online: ["a@1 b@1", "c@1"],
      complete: true,
      built: 3,
      progress: [2, 3],
    });
    expect(await build([])).toMatchObject({ built: 0, complete: true, online: [] });
  });

  it("goes back to an entity that moved while it was built, and leaves the old state out", async () => {
    const pages = [
      [history("a"), history("b"), history("c")],
      [history("b", 2), history("c")],
    ];
    expect(await build(pages, [["b"]])).toMatchObject({
      pages: [null, "a", "c"],
      // Alone, so that it is written before it moves again.
      sizes: [500, 1, 500],
      online: ["a@1 c@1", "b@2 c@1"],
      built: 3,
    });
  });

  it("begins again where the very first one moved", async () => {
    const pages = [
      [history("a"), history("b")],
      [history("a", 2), history("b")],
    ];
    expect(await build(pages, [["a"]])).toMatchObject({
      pages: [null, null, "b"],
      online: ["b@1", "a@2 b@1"],
      built: 2,
      progress: [0, 2],
    });
  });

  it("is not complete when it fails", async () => {
    const failing = buildView(
      {
        definitions: {
          readHistories: async () => [history("a")],
          putBuiltStates: async () => [true],
          markComplete: async () => expect.unreachable(),
        },
        online: { write: async () => Promise.reject(new Error("the online store is down")) },
        progress: () => expect.unreachable(),
      },
      plan,
    );
    await expect(failing).rejects.toThrow("the online store is down");
  });
});

describe("a state from a history", () => {
  it("is empty where the view has no part in it", () => {
    const events = [readingEvent("e", { device: "a", source: "corrections" })];
    const state = stateOfHistory(plan, { ...history("a"), events });
    expect(state).toBe(encodeState(plan, emptyState(plan)));
    expect(openState(state).newest).toBeNull();
  });

  it("is the same whatever the order of the versions, and holds what can be reached alone", () => {
    const windowed = registry.views.get("corrected") as ViewPlan;
    const events = [0, 1, 6, 100].map((days, i) =>
      readingEvent(`e${i}`, { source: "corrections", time: NOON - days * DAY_MS }),
    );
    const forth = stateOfHistory(windowed, { ...history("d"), events });
    expect(stateOfHistory(windowed, { ...history("d"), events: events.toReversed() })).toBe(forth);
    // The last event is older than the window, but a lifetime feature takes it.
    const tiles = decodeState(windowed, forth).levels.map((level) => level.size);
    expect(tiles).toEqual([3, 3, 1]);
  });
});
