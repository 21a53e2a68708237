import { describe, expect, it } from "vitest";
import { payments as source } from "../../../definitions/sources.ts";
import { generatePayments } from "../../../local/demo/payments.ts";
import { pickStory, theftOf } from "../../../local/demo/story.ts";

const NOW = Date.UTC(2026, 10, 22, 14, 3, 7, 123);
const load = generatePayments({ seed: "story", now: NOW });

describe("the report's customer", () => {
  it("pays often, was never defrauded, and is the same at every start", () => {
    const story = pickStory(load);
    expect(pickStory(generatePayments({ seed: "story", now: NOW }))).toEqual(story);
    const own = load.payments.filter(({ customer_id }) => customer_id === story.customerId);
    expect(own.length).toBeGreaterThan(40);
    expect(own.filter(({ payment_id }) => load.frauds.has(payment_id))).toEqual([]);
    expect(own.at(-1)).toEqual(story.latest);
    const atHome = own.filter(({ country }) => country === story.home);
    expect(atHome.length).toBeGreaterThan(own.length / 2);
  });

  it("is robbed where it never was, in a payment of its own id and time", () => {
    const story = pickStory(load);
    const theft = theftOf(story, 1, NOW + 5);
    expect(source.schema.parse(theft)).toEqual(theft);
    expect(theft).toMatchObject({ customer_id: story.customerId, merchant_id: story.merchantId });
    expect(Date.parse(theft.paid_at)).toBe(NOW + 5);
    const own = load.payments.filter(({ customer_id }) => customer_id === story.customerId);
    expect(own.map(({ merchant_id }) => merchant_id)).not.toContain(theft.merchant_id);
    expect(own.map(({ country }) => country)).not.toContain(theft.country);
    expect(theftOf(story, 2, NOW + 5).payment_id).not.toBe(theft.payment_id);
  });
});
