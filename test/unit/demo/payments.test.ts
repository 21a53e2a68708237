import { describe, expect, it } from "vitest";
import { payments as source } from "../../../definitions/sources.ts";
import { generatePayments, type Payment } from "../../../local/demo/payments.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../../src/time.ts";

const NOW = Date.UTC(2026, 10, 22, 14, 3, 7, 123);
const load = generatePayments({ seed: "test", now: NOW });

const timeOf = (payment: Payment): number => Date.parse(payment.paid_at);
const idOf = (payment: Payment): string => payment.payment_id;
const euros = (payment: Payment): number => Number(payment.amount);

function fraudsOf(kind: string): ReadonlyMap<string, readonly Payment[]> {
  const found = load.payments.filter((payment) => load.frauds.get(payment.payment_id) === kind);
  return Map.groupBy(found, ({ customer_id, country }) => `${customer_id} ${country}`);
}

describe("generatePayments", () => {
  it("gives the same payments for the same seed and instant, ids included", () => {
    expect(generatePayments({ seed: "test", now: NOW })).toEqual(load);
  });

  it("gives other ids for another seed or instant, so that two examples never collide", () => {
    const ids = new Set(load.payments.map(idOf));
    for (const other of [
      { seed: "other", now: NOW },
      { seed: "test", now: NOW + 1 },
    ]) {
      expect(generatePayments(other).payments.filter((one) => ids.has(idOf(one)))).toEqual([]);
    }
  });

  it.each([300, 1_000, 6_000])("makes exactly %i payments, each with an id of its own", (count) => {
    const { payments } = generatePayments({ seed: "test", now: NOW, payments: count });
    expect(new Set(payments.map(idOf)).size).toBe(count);
    expect(payments).toHaveLength(count);
  });

  it("refuses to make fewer than its frauds need", () => {
    expect(() => generatePayments({ seed: "test", now: NOW, payments: 299 })).toThrow(
      "at least 300",
    );
  });

  it("makes payments that the source accepts", () => {
    for (const payment of load.payments) expect(source.schema.parse(payment)).toEqual(payment);
    expect(load.payments.every(({ amount }) => /^\d+\.\d\d$/.test(amount))).toBe(true);
    expect(Math.min(...load.payments.map(euros))).toBeGreaterThanOrEqual(0.5);
  });

  it("puts them in order into the 60 days before now", () => {
    const times = load.payments.map(timeOf);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times[0]).toBeGreaterThanOrEqual(NOW - 60 * DAY_MS);
    expect(times.at(-1)).toBeLessThan(NOW);
    const days = new Set(times.map((time) => Math.floor((NOW - time) / DAY_MS)));
    expect(days.size).toBe(60);
  });

  it("delivers every payment, some twice and some late", () => {
    const { deliveries, payments } = load;
    expect(new Set(deliveries)).toEqual(new Set(payments));
    const repeats = deliveries.length - payments.length;
    expect(repeats).toBeGreaterThan(10);
    expect(repeats).toBeLessThan(100);
    let newest = 0;
    const late = deliveries.filter((payment) => {
      newest = Math.max(newest, timeOf(payment));
      return timeOf(payment) < newest - HOUR_MS;
    });
    expect(late.length).toBeGreaterThan(30);
    expect(late.length).toBeLessThan(300);
  });

  it("gives customers habits", () => {
    const honest = load.payments.filter((payment) => !load.frauds.has(payment.payment_id));
    const hours = Map.groupBy(honest, (payment) => new Date(timeOf(payment)).getUTCHours());
    const night = [2, 3, 4].flatMap((hour) => hours.get(hour) ?? []).length;
    const afternoon = [14, 15, 16].flatMap((hour) => hours.get(hour) ?? []).length;
    expect(night * 8).toBeLessThan(afternoon);

    const sorted = honest.map(euros).toSorted((a, b) => a - b);
    const mean = sorted.reduce((sum, one) => sum + one, 0) / sorted.length;
    expect(mean).toBeGreaterThan(1.4 * (sorted[(sorted.length / 2) | 0] ?? 0));

    const [frequent = []] = [...Map.groupBy(honest, (one) => one.customer_id).values()].toSorted(
      (a, b) => b.length - a.length,
    );
    const perMerchant = [...Map.groupBy(frequent, (one) => one.merchant_id).values()];
    const favourites = perMerchant
      .map((one) => one.length)
      .toSorted((a, b) => b - a)
      .slice(0, 6);
    expect(favourites.reduce((sum, one) => sum + one, 0) / frequent.length).toBeGreaterThan(0.7);
    expect(new Set(frequent.map(({ email }) => email)).size).toBe(1);
  });
});

describe("the frauds among them", () => {
  it("are a few per cent, and all of them are payments", () => {
    expect(load.frauds.size / load.payments.length).toBeGreaterThan(0.01);
    expect(load.frauds.size / load.payments.length).toBeLessThan(0.05);
    const ids = new Set(load.payments.map(idOf));
    expect([...load.frauds.keys()].filter((id) => !ids.has(id))).toEqual([]);
  });

  it("test cards: many tiny payments at one merchant within minutes, then a large one", () => {
    const cases = [...fraudsOf("card_testing").values()];
    expect(cases).toHaveLength(3);
    for (const payments of cases) {
      const tiny = payments.slice(0, -1);
      expect(tiny.length).toBeGreaterThan(20);
      expect(Math.max(...tiny.map(euros))).toBeLessThan(2);
      expect(euros(payments.at(-1) as Payment)).toBeGreaterThanOrEqual(300);
      expect(timeOf(payments.at(-1) as Payment) - timeOf(payments[0] as Payment)).toBeLessThan(
        15 * MINUTE_MS,
      );
      expect(new Set(payments.map(({ merchant_id }) => merchant_id)).size).toBe(1);
    }
  });

  it("take accounts over: large amounts, from where the customer never was", () => {
    const cases = [...fraudsOf("account_takeover").values()];
    expect(cases).toHaveLength(3);
    for (const payments of cases) {
      const [{ customer_id: customer, country } = payments[0] as Payment] = payments;
      const before = load.payments.filter(
        (one) => one.customer_id === customer && !load.frauds.has(one.payment_id),
      );
      expect(before.map((one) => one.country)).not.toContain(country);
      const usual = before.reduce((sum, one) => sum + euros(one), 0) / before.length;
      const stolen = payments.reduce((sum, one) => sum + euros(one), 0) / payments.length;
      expect(stolen).toBeGreaterThan(2 * usual);
    }
  });

  it("bust out: amounts rise over the last days, at home", () => {
    const cases = [...fraudsOf("bust_out").values()];
    expect(cases).toHaveLength(3);
    for (const payments of cases) {
      const half = Math.floor(payments.length / 2);
      const sum = (of: readonly Payment[]): number =>
        of.reduce((total, one) => total + euros(one), 0);
      expect(sum(payments.slice(half))).toBeGreaterThan(sum(payments.slice(0, half)));
      expect(timeOf(payments.at(-1) as Payment) - timeOf(payments[0] as Payment)).toBeLessThan(
        4 * DAY_MS,
      );
    }
  });
});
