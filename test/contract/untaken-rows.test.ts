import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { count, last, max, sum } from "../../src/features/aggregation.ts";
import { entity, featureView } from "../../src/features/define.ts";
import { apiKey, tableSource } from "../../src/features/define-source.ts";
import { decimal } from "../../src/features/fields.ts";
import { readHistory } from "../../src/features/read-history.ts";
import { readOnline } from "../../src/features/read-online.ts";
import { compileDefinitions, type Registry } from "../../src/features/registry.ts";
import { consume } from "../../src/ingest/consume.ts";
import { readChange } from "../../src/ingest/read-change.ts";
import { replay } from "../../src/ingest/replay.ts";
import { sweep } from "../../src/ingest/sweep.ts";
import { DAY_MS } from "../../src/time.ts";
import { applyFor } from "../support/apply-for.ts";
import type { createMemoryIngestQueue } from "../support/fakes/memory-ingest-queue.ts";
import { newTenant } from "../support/log-events.ts";
import { oracleValue } from "../support/oracle.ts";
import { applyAll, NOW, openPorts } from "../support/play.ts";
import { truths, type Truth } from "../support/stores.ts";
import { oracleFeatures } from "../support/views.ts";
import { consumerOf, deliver, eventsMessage, vault, type Ports } from "../support/write-path.ts";

const shelf = entity("shelf", { key: "shelf" });

/** A table whose column changes its type from one deployment to the next. */
const boxes = <T extends z.ZodType>(size: T) =>
  tableSource("boxes", {
    schema: z.object({ box_id: z.string(), shelf: z.string(), put_at: z.number(), size }),
    key: "box_id",
    eventTime: "put_at",
    accept: [apiKey()],
  });

const texts = boxes(z.string());
const numbers = boxes(decimal());

/** Takes every row. */
const stockOf = (source: typeof texts | typeof numbers) =>
  featureView("stock", { entity: shelf, source, features: { n: count() } });
/** Takes no row whose size is no number. */
const volume = featureView("volume", {
  entity: shelf,
  source: numbers,
  features: { n: count().over("1h"), total: sum("size"), most: max("size"), newest: last("size") },
});

const lax = compileDefinitions([shelf, texts, stockOf(texts)]);
const strict = compileDefinitions([shelf, numbers, stockOf(numbers), volume]);
const plain = compileDefinitions([shelf, numbers, stockOf(numbers)]);
const DEPLOYMENTS = { lax, strict, plain } as const;
type Deployed = keyof typeof DEPLOYMENTS;

interface Box {
  readonly id: string;
  readonly shelf: string;
  readonly time: number;
  readonly size: string;
}

type Step =
  | {
      readonly kind: "change";
      readonly by: Deployed;
      readonly id: string;
      readonly box: Box | null;
    }
  | { readonly kind: "apply"; readonly deployed: Deployed }
  | { readonly kind: "replay"; readonly by: Deployed };

const anyBox = (id: string): fc.Arbitrary<Box> =>
  fc.record({
    id: fc.constant(id),
    shelf: fc.constantFrom("s1", "s2"),
    time: fc.integer({ min: 1, max: 3 }).map((n) => NOW - n * 1_000),
    size: fc.constantFrom("1.5", "2", "large", "small"),
  });
const anyDeployed = fc.constantFrom<Deployed>("lax", "strict", "plain");
const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.constantFrom("b1", "b2", "b3").chain((id) =>
      fc.record({
        kind: fc.constant("change" as const),
        by: anyDeployed,
        id: fc.constant(id),
        box: fc.option(anyBox(id), { freq: 4 }),
      }),
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("apply" as const), deployed: anyDeployed }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("replay" as const), by: anyDeployed }) },
);

describe.each(truths())("rows that a view cannot take %s", (where, open) => {
  let shared: Truth;
  beforeAll(async () => void (shared = await open()));
  afterAll(() => shared.close());
  const fresh = (): Promise<Truth> => (where === "in memory" ? open() : Promise.resolve(shared));

  async function openBoxes(first: Deployed) {
    const truth = await fresh();
    const tenant = newTenant();
    const ports: Ports = openPorts(truth, tenant);
    await applyAll(truth, ports, tenant, DEPLOYMENTS[first]);
    const ctxOf = (registry: Registry, now = NOW) => ({
      ...consumerOf(ports, () => now),
      registry,
      definitions: truth.definitionStore,
      quarantine: truth.quarantine,
      sleep: async () => undefined,
    });
    const queue = ports.queue as ReturnType<typeof createMemoryIngestQueue>;
    /** What is left to another deployment comes again and again: a few rounds are enough. */
    async function drain(registry: Registry): Promise<void> {
      for (let round = 0; round < 3; round += 1) {
        const left = queue.drain().map(({ body }, i) => deliver(body, `q${i}`));
        await consume(ctxOf(registry), left);
      }
      queue.drain();
    }
    return {
      tenant,
      ports,
      truth,
      apply: (registry: Registry) => applyFor(ctxOf(registry), truth.definitionStore),
      /** Accepted by a deployment that takes any text, and consumed by another. */
      async change(registry: Registry, order: number, id: string, box: Box | null) {
        const source = lax.sources.get(texts.name);
        if (source === undefined || source.table === null) throw new Error("the test is wrong");
        const row =
          box === null
            ? { box_id: id }
            : { box_id: id, shelf: box.shelf, put_at: box.time, size: box.size };
        const value = { op: box === null ? "delete" : "upsert", row, order };
        const read = await readChange({ registry: lax, vault }, source.table, {
          tenant,
          source,
          value,
          ingestTime: NOW,
          knownAt: null,
        });
        if (!read.ok) throw new Error(read.error.detail);
        await consume(ctxOf(registry), [deliver(eventsMessage(read.value), `m${order}`)]);
        await drain(registry);
      },
      async replayAll(registry: Registry) {
        const { items } = await truth.quarantine.list(tenant, {
          limit: 99,
          cursor: null,
          source: null,
        });
        const ids = items.filter(({ replayedAt }) => replayedAt === null).map(({ id }) => id);
        if (ids.length > 0) await replay(ctxOf(registry), { tenant, ids });
        await drain(registry);
      },
      async settle(registry: Registry) {
        await sweep(ctxOf(registry, NOW + DAY_MS));
        await drain(registry);
      },
    };
  }

  /** Online, and in history by version and by all that is known, views are of the rows they take. */
  async function expectBoxes(
    registry: Registry,
    { ports, tenant, truth }: Awaited<ReturnType<typeof openBoxes>>,
    present: readonly Box[],
  ): Promise<void> {
    const entities = [{ shelf: "s1" }, { shelf: "s2" }];
    for (const plan of registry.views.values()) {
      const asked = { tenant, features: [plan.name] };
      const ctx = { registry, vault, online: ports.online, now: () => NOW + DAY_MS } as const;
      const online = await readOnline(
        { ...ctx, whenIncomplete: "unavailable" },
        { ...asked, entities },
      );
      const expected = entities.map((one) => {
        const own = present.filter((box) => box.shelf === one.shelf);
        const taken = plan.name === "stock" ? own : own.filter(({ size }) => /^[\d.]+$/.test(size));
        const events = taken.map(({ id, time, size }) => ({ time, order: id, fields: { size } }));
        return oracleFeatures(plan, ["size"]).map((feature) =>
          oracleValue(feature, events, online.asOf),
        );
      });
      expect(online.results.map(({ values }) => values)).toEqual(expected);
      const history = {
        ...ctx,
        history: truth.historyLog,
        definitions: truth.definitionStore,
        now: () => NOW + 2 * DAY_MS,
      };
      const at = online.asOf;
      const versions = online.results.map(({ entity: of, version }) => ({
        entity: of,
        version,
        at,
      }));
      const byVersion = await readHistory(history, { ...asked, rows: versions });
      expect(byVersion.rows.map(({ values }) => values)).toEqual(expected);
      const rows = entities.map((one) => ({ entity: one, at }));
      const latest = await readHistory(history, { ...asked, rows, known: "latest" });
      expect(latest.rows.map(({ values }) => values)).toEqual(expected);
    }
    expect(await ports.log.findUnfinished(Number.MAX_SAFE_INTEGER, 10)).toEqual([]);
  }

  it("are in the others all the same, whatever is taken back, applied or replayed in between", async () => {
    await fc.assert(
      fc.asyncProperty(
        anyDeployed,
        fc.array(anyStep, { minLength: 3, maxLength: 14 }),
        anyDeployed,
        async (first, steps, end) => {
          const own = await openBoxes(first);
          const present = new Map<string, Box>();
          for (const [i, step] of steps.entries()) {
            if (step.kind === "apply") await own.apply(DEPLOYMENTS[step.deployed]);
            else if (step.kind === "replay") await own.replayAll(DEPLOYMENTS[step.by]);
            else {
              await own.change(DEPLOYMENTS[step.by], i, step.id, step.box);
              if (step.box === null) present.delete(step.id);
              else present.set(step.id, step.box);
            }
          }
          const registry = DEPLOYMENTS[end];
          await own.apply(registry);
          await own.settle(registry);
          await expectBoxes(registry, own, [...present.values()]);
        },
      ),
      { numRuns: where === "in memory" ? 150 : 12 },
    );
  }, 60_000);
});
