import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { refText } from "../../../src/ingest/entity-refs.ts";
import { givenBy } from "../../../src/ingest/given-by.ts";
import { anySteps, anyPathOptions, pairsOf, pathRegistry, stepEvent } from "../../support/paths.ts";
import { anyJoinLimits } from "../../support/search-pairs.ts";
import { NOON, openFilledWorld } from "../../support/world.ts";
import { eventsMessage } from "../../support/write-path.ts";

describe("to whom some events of a join give pairs", () => {
  it("is whose pairs are others than without them", async () => {
    await fc.assert(
      fc.asyncProperty(
        anyPathOptions([1, 2, 100]),
        anySteps(NOON),
        fc.array(fc.boolean(), { minLength: 18, maxLength: 18 }),
        anyJoinLimits,
        async (options, steps, isAsked, joinLimits) => {
          const registry = pathRegistry(options);
          const world = await openFilledWorld(registry);
          for (let at = 0; at < steps.length; at += 4) {
            const events = steps.slice(at, at + 4).map((one) => stepEvent(one, "t"));
            await world.consume([eventsMessage(events)]);
          }
          const [join] = registry.joinsByEntity.values();
          if (join === undefined) throw new Error("no join");
          const key = options.alsoShop ? "ada,x" : "ada";
          const ref = { tenant: "t", entity: join.sourceId, key };
          const input = { events: [], contributions: [], touched: [ref], stateIds: [], now: NOON };
          const [snapshot] = (await world.log.append(input)).entities;
          if (snapshot === undefined) throw new Error("no snapshot");

          const met = steps.filter(
            ({ who, shop }) => who === "ada" && (!options.alsoShop || shop === "x"),
          );
          const asked = met.filter((_, i) => isAsked[i]);
          const pairsAmong = (some: typeof met) =>
            new Map(pairsOf(some, options).map((pair) => [`${pair[0].id} ${pair[1].id}`, pair]));
          const [all, without] = [
            pairsAmong(met),
            pairsAmong(met.filter((one) => !asked.includes(one))),
          ];
          const changed = [...all, ...without].filter(([id]) => !all.has(id) || !without.has(id));
          const expected = changed.flatMap(([, [click]]) => [
            refText({ tenant: "t", entity: "ad", key: click.ad }),
            refText({ tenant: "t", entity: "shopper", key: "ada" }),
          ]);
          const given = await givenBy(
            { registry, log: world.log, joinLimits },
            join,
            snapshot,
            asked.map((one) => stepEvent(one, "t")),
          );
          expect(given.map(refText).toSorted()).toEqual([...new Set(expected)].toSorted());
        },
      ),
      { numRuns: 100 },
    );
  });
});
