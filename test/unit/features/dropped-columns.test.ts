import { describe, expect, it } from "vitest";
import { z } from "zod";
import { count } from "../../../src/features/aggregation.ts";
import { featureView } from "../../../src/features/define.ts";
import { apiKey, eventSource, joined } from "../../../src/features/define-source.ts";
import { pii } from "../../../src/features/fields.ts";
import { compileDefinitions } from "../../../src/features/registry.ts";
import { orders, shopper } from "../../support/paths.ts";

const registryWith = (ad: z.ZodType<string>) => {
  const clicks = eventSource("clicks", {
    schema: z.object({ click_id: z.string(), who: z.string(), ad, at: z.number() }),
    id: "click_id",
    eventTime: "at",
    accept: [apiKey()],
  });
  const paths = joined("paths", clicks, orders, { on: { who: "buyer" }, within: "5s", fanOut: 1 });
  const view = featureView("shopper_paths", {
    entity: shopper,
    source: paths,
    features: { n: count() },
  });
  return compileDefinitions([shopper, clicks, orders, paths, view]);
};

describe("a join whose column is no longer kept", () => {
  it("is another join: its pairs could not take back those that have the column", () => {
    const [kept, dropped] = [z.string(), pii(z.string(), "drop")].map(
      (ad) => [...registryWith(ad).joinsByEntity.keys()][0],
    );
    expect(kept).not.toBe(dropped);
  });
});
