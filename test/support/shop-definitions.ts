import { z } from "zod";
import type { Definition } from "../../src/deployment.ts";
import type { Aggregation } from "../../src/features/aggregation.ts";
import { count, last, sum } from "../../src/features/aggregation.ts";
import {
  entity,
  featureView,
  onDemand,
  service,
  type OnDemandFunction,
} from "../../src/features/define.ts";
import { apiKey, eventSource } from "../../src/features/define-source.ts";
import { decimal } from "../../src/features/fields.ts";
import { model } from "../../src/predictions/define.ts";
import { collection, lexicalHashing } from "../../src/retrieval/define.ts";

type Features = Readonly<Record<string, Aggregation<never, never, never, never> | Aggregation>>;

/** What a test changes of the shop. */
export interface ShopChanges {
  readonly fields?: z.ZodRawShape;
  readonly id?: string;
  readonly features?: Features;
  readonly version?: number;
  readonly ratio?: OnDemandFunction;
  readonly language?: "english" | "simple";
  readonly bias?: number;
  readonly modelVersion?: string;
  /** Names of definitions that are not in the list. */
  readonly without?: readonly string[];
  readonly more?: readonly Definition[];
}

export const SHOP_FIELDS = {
  order_id: z.string(),
  buyer: z.string(),
  amount: decimal(),
  country: z.string().nullable(),
  at: z.number(),
};

export const SHOP_FEATURES: Features = {
  orders_1d: count().over("1d"),
  spent_7d: sum("amount" as never).over("7d"),
  last_country: last("country" as never),
};

/** A small deployment of one definition of each kind, with changes. */
export function shop(changes: ShopChanges = {}): readonly Definition[] {
  const { fields = SHOP_FIELDS, id = "order_id", features = SHOP_FEATURES } = changes;
  const { version = 1, ratio = defaultRatio, language = "english", without = [] } = changes;
  const { bias = 0.5, modelVersion = "1", more = [] } = changes;
  const buyer = entity("buyer", { key: "buyer" });
  const orders = eventSource("orders", {
    schema: z.object(fields),
    id: id as never,
    eventTime: "at",
    accept: [apiKey()],
  });
  const spend = featureView("spend", {
    entity: buyer,
    source: orders,
    features: features as never,
  });
  const basket = onDemand("basket", {
    version,
    request: z.object({ amount: z.number() }),
    from: [spend],
    features: { ratio: ratio as never },
    cases: [
      {
        request: { amount: 10 },
        features: { spend: { orders_1d: 4 } } as never,
        expect: {},
      },
    ],
  });
  const checkout = service("checkout", [spend, basket]);
  const risk = model("risk", {
    features: checkout,
    kind: "regressor",
    file: {
      format: "freshet-linear",
      format_version: 1,
      kind: "linear",
      version: modelVersion,
      inputs: [{ feature: "spend__orders_1d" }, { feature: "basket__ratio" }],
      coefficients: [[1, 2]],
      intercepts: [bias],
    },
  });
  const help = collection("help", {
    embedder: lexicalHashing({ dimensions: 8 }),
    text: ["title", "body"],
    language,
  });
  const all: readonly Definition[] = [buyer, orders, spend, basket, checkout, risk, help];
  return [...all.filter(({ name }) => !without.includes(name)), ...more];
}

const defaultRatio: OnDemandFunction = ({ request, features }) =>
  Number(request["amount"]) / Number(features["spend"]?.["orders_1d"]);
