import fc from "fast-check";
import { afterAll, beforeAll, describe, it } from "vitest";
import { expectRight, expectSwept, expectWhole } from "../support/expect-life.ts";
import { anyShapes, NO_VIEWS, type Shape } from "../support/life-definitions.ts";
import { anyFacts, type Fact } from "../support/life-facts.ts";
import { anyLife, TO_THE_END, type LifeStep } from "../support/life-steps.ts";
import { Life } from "../support/life.ts";
import { NOW } from "../support/play.ts";
import { truths, type Truth } from "../support/stores.ts";

const BASE = NOW - 60_000;

interface Story {
  readonly shapes: readonly Shape[];
  readonly facts: readonly Fact[];
  readonly steps: readonly LifeStep[];
  /** How it ends for now: a deployment is applied (beside), or nothing more is. */
  readonly end: "apply" | "beside" | "sweep";
  /** The deployment that does that, and is applied for good then. */
  readonly last: number;
  /** Whether whoever stands still never goes on. */
  readonly areDead: boolean;
}

/** Plays a story, in which whatever is answered is right at any time, and nothing is lost in the end. */
async function expectWell(
  truth: Truth,
  { shapes, facts, steps, end, last, areDead }: Story,
): Promise<void> {
  const life = new Life(truth, shapes, facts);
  await life.begin();
  for (const step of steps) {
    await life.step(step);
    await expectRight(life);
  }
  if (end !== "sweep") await life.apply(last, { beside: end === "beside" });
  await life.end(last, areDead);
  await expectRight(life);
  await expectSwept(life, last);
  await life.apply(last);
  await life.end(last, true);
  await expectRight(life);
  await expectWhole(life, last);
}

const ENDS: readonly Story["end"][] = ["apply", "sweep", "beside"];

const anyStory: fc.Arbitrary<Story> = fc.record({
  shapes: anyShapes,
  facts: anyFacts(BASE),
  steps: anyLife,
  end: fc.constantFrom(...ENDS),
  last: fc.nat({ max: 2 }),
  areDead: fc.boolean(),
});

const click = (n: number) => ({
  side: "left" as const,
  id: `c${n}`,
  who: "ada",
  shop: "x",
  ad: "a1",
  amount: "1",
  time: BASE - n,
  known: null,
});
const order: Fact = { ...click(0), side: "right", id: "o0" };
const basket = (n: number): Fact => ({
  side: "basket",
  id: "b1",
  order: n,
  row: { basket_id: "b1", who: "ada", ad: "a1", amount: "1.5", at: BASE + n },
});

/** The deployment takes one fact more, and stands still after so many calls. */
const send = (by: number, calls = TO_THE_END): LifeStep => ({
  do: "send",
  by,
  take: 1,
  again: 0,
  calls,
});
const apply = (by: number, calls = TO_THE_END, beside = false): LifeStep => ({
  do: "apply",
  by,
  beside,
  calls,
});
const applyBeside = (by: number, calls = TO_THE_END): LifeStep => apply(by, calls, true);
/** Until it declares that past events are given: views, withdrawal, feeds, a look into the past. */
const UNTIL_COMPLETE = 5;
const goOn: LifeStep = { do: "go on", who: 0, calls: TO_THE_END };
const sweepLater = (by: number): readonly LifeStep[] => [
  { do: "wait", ms: 60_000 },
  { do: "sweep", by, calls: TO_THE_END },
];
const shapes = (...all: readonly Partial<Shape>[]): readonly Shape[] =>
  all.map((one): Shape => ({ ...NO_VIEWS, ...one }));

/** What went wrong once. */
const STORIES: readonly (readonly [string, Omit<Story, "last" | "areDead" | "end">])[] = [
  [
    "a deployment sweeps what another one committed of a view that it does not know",
    {
      shapes: shapes({ who_clicks: 1 }, { who_clicks: 2 }),
      facts: [click(1)],
      steps: [apply(1), send(1, 2), ...sweepLater(0)],
    },
  ],
  [
    "a deployment sweeps what another one committed of a kind of entity that it does not know",
    {
      shapes: shapes({ ad_clicks: 1 }, { ad_clicks: 1, who_clicks: 1 }),
      facts: [click(1)],
      steps: [apply(1), send(1, 2), ...sweepLater(0)],
    },
  ],
  [
    "a row changes before entities are given what it was, which they missed",
    {
      shapes: shapes({}, { who_baskets: 1 }),
      facts: [basket(1), basket(2)],
      steps: [apply(1), send(0), send(1), ...sweepLater(1)],
    },
  ],
  [
    "a row changes while others do not know what it was either, and need not",
    {
      shapes: shapes({ who_baskets: 1 }, { who_baskets: 1, ad_baskets: 1 }, {}),
      facts: [basket(1), basket(2)],
      steps: [send(2), apply(1), send(0), ...sweepLater(1)],
    },
  ],
  [
    "a row changes by a deployment that knows only some of those who do not know what it was",
    {
      shapes: shapes({ who_baskets: 1 }, { who_baskets: 1, ad_baskets: 1 }, {}),
      facts: [basket(1), basket(2)],
      steps: [apply(1), send(2), send(0), ...sweepLater(1)],
    },
  ],
  [
    "a row changes while it is not known yet what others know of it, since an apply is under way",
    {
      shapes: shapes({}, { who_baskets: 1 }),
      facts: [basket(1), basket(2)],
      // It gives past events, of which there are none, and stands still.
      steps: [apply(1, UNTIL_COMPLETE), send(0), send(1), goOn, ...sweepLater(1)],
    },
  ],
  [
    "a pair is taken back before entities are given it, which they missed",
    {
      shapes: shapes({ who_paths: 1, join: 2 }, { who_paths: 1, ad_paths: 1, join: 2 }),
      facts: [click(9), order, click(2)],
      steps: [apply(1), send(0), send(0), send(1), ...sweepLater(1)],
    },
  ],
  [
    "an entity's first fold is under way while a view is registered and built",
    {
      shapes: shapes({ who_clicks: 1 }, { who_clicks: 2 }),
      facts: [click(1)],
      steps: [send(0, 1), apply(1), goOn],
    },
  ],
  [
    "a deployment that was never applied takes events of another one's view",
    {
      shapes: shapes({ who_clicks: 1 }, { who_clicks: 2 }),
      facts: [click(1)],
      steps: [send(1)],
    },
  ],
  [
    "an apply that stands still gives others nothing yet, while somebody does not know what is in use",
    {
      shapes: shapes({}, { ad_clicks: 1 }, { ad_clicks: 1, who_clicks: 1 }),
      facts: [click(1)],
      steps: [applyBeside(1), send(0), applyBeside(2, 2), ...sweepLater(0)],
    },
  ],
  [
    "a view is in use that an engine made which came later",
    {
      shapes: shapes({ ad_clicks: 1, who_clicks: 1 }, { ad_clicks: 2 }),
      facts: [click(1), click(2), click(3)],
      steps: [
        send(0),
        { do: "apply what comes later", entity: "ad" },
        send(0),
        applyBeside(1),
        send(1),
        ...sweepLater(0),
      ],
    },
  ],
];

describe.each(truths())("over the lives of deployments %s", (where, open) => {
  let shared: Truth;
  beforeAll(async () => void (shared = await open()));
  afterAll(() => shared.close());
  const fresh = (): Promise<Truth> => (where === "in memory" ? open() : Promise.resolve(shared));

  it.each(STORIES)("nothing goes wrong where %s", async (_name, story) => {
    for (const last of where === "in memory" ? [0, 1] : [1]) {
      for (const end of where === "in memory" ? ENDS : ["apply" as const]) {
        await expectWell(await fresh(), { ...story, end, last, areDead: true });
      }
    }
  });

  it("whatever is answered is right, and nothing is lost", async () => {
    await fc.assert(
      fc.asyncProperty(anyStory, async (story) => expectWell(await fresh(), story)),
      { numRuns: where === "in memory" ? 40 : 3 },
    );
  }, 90_000);
});
