import { describe, expect, it } from "vitest";
import { customerSpend } from "../../../definitions/views.ts";
import { fraud } from "../../../definitions/models.ts";
import file from "../../../definitions/models/fraud.json" with { type: "json" };
import { registry, replayFrauds, type FraudExample } from "../../../local/demo/fraud-history.ts";
import { FRAUD_LOAD, TRAINED_ON } from "../../../local/demo/fraud-load.ts";
import { trainFraudModel } from "../../../local/demo/fraud-model.ts";
import { recompute } from "../../../local/demo/oracle.ts";
import { generatePayments } from "../../../local/demo/payments.ts";
import { pickStory, theftOf } from "../../../local/demo/story.ts";
import { evaluateLinear } from "../../../src/predictions/evaluate-linear.ts";
import { compileModel } from "../../../src/predictions/model-plan.ts";
import { DAY_MS, HOUR_MS } from "../../../src/time.ts";

const load = generatePayments(FRAUD_LOAD);
const history = await replayFrauds(load);
const plan = compileModel(fraud, registry);

function judge({ values }: FraudExample) {
  const taken = plan.features.map((name) => values[history.names.indexOf(name)] ?? null);
  return evaluateLinear(plan.linear, taken);
}

/** A feature of the example, by its name in the views. */
const known = ({ values }: FraudExample, name: string): unknown =>
  values[history.names.findIndex((one) => one.endsWith(`:${name}`))];

describe("what is known before a payment", () => {
  it("is what all earlier payments say, and not the payment itself", () => {
    const sample = history.examples.filter((_, i) => i % 97 === 0);
    for (const example of sample) {
      const { payment } = example;
      const at = Date.parse(payment.paid_at);
      const own = load.payments.filter((one) => one.customer_id === payment.customer_id);
      const expected = recompute(
        customerSpend,
        own.map((one) => ({ ...one })),
        { customer_id: payment.customer_id },
        at,
      );
      for (const [name, value] of Object.entries(expected))
        expect(known(example, name)).toBe(value);
      const { amount_mean_30d: mean, last_country: before } = expected;
      expect(known(example, "amount_vs_mean")).toBe(mean ? Number(payment.amount) / +mean : null);
      expect(known(example, "country_changed")).toBe(
        before === null ? null : payment.country !== before,
      );
    }
  });

  it("does not hold a payment of the same instant", async () => {
    const [first] = load.payments;
    if (first === undefined) throw new Error("the load is empty");
    const payments = [first, { ...first, payment_id: "twin" }];
    const { examples } = await replayFrauds({ ...load, payments });
    expect(examples.map((example) => known(example, "payments_1h"))).toEqual([0, 0]);
  });
});

describe("the example's fraud model", () => {
  it("is what its training gives: npm run train:fraud", () => {
    expect(trainFraudModel(history, TRAINED_ON)).toEqual(file);
  });

  it("tells fraud from habit in the days that it has not seen", () => {
    const { training, holdout } = file.metrics;
    expect(training.payments + holdout.payments).toBe(load.payments.length);
    expect(training.frauds + holdout.frauds).toBe(load.frauds.size);
    expect(holdout.frauds).toBeGreaterThan(50);
    expect(holdout.auc).toBeGreaterThan(0.95);
    expect(holdout.precision).toBeGreaterThan(0.8);
  });

  it("finds the theft of the report, whenever the example began, and not what came before", async () => {
    for (const days of [0, 2, 9, 24, 40]) {
      const now = FRAUD_LOAD.now + days * DAY_MS + 5 * HOUR_MS;
      const shop = generatePayments({ ...FRAUD_LOAD, now });
      const story = pickStory(shop);
      const own = shop.payments.filter((one) => one.customer_id === story.customerId);
      const payments = [...own, theftOf(story, 1, now)];
      const { examples } = await replayFrauds({ ...shop, payments });
      const answers = examples.map(judge);
      expect(answers.at(-1)).toMatchObject({ label: "fraud", missing: [] });
      expect(answers.slice(-20, -1).map(({ label }) => label)).toEqual(Array(19).fill("legit"));
    }
  });
});
