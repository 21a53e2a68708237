import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RejectedByStore } from "../../src/features/event-log.ts";
import type { ServedAnswer } from "../../src/features/served-answers.ts";
import { newId } from "../../src/ids.ts";
import { newTenant } from "../support/log-events.ts";
import { loggedAnswer } from "../support/skew.ts";
import { truths, type Truth } from "../support/stores.ts";

const answer = (
  tenant: string,
  servedAt: number,
  fields: Partial<ServedAnswer> = {},
): ServedAnswer =>
  loggedAnswer({
    tenant,
    id: `${newId("ans", servedAt)}_0`,
    asOf: servedAt,
    servedAt,
    ...fields,
  });

/** Everything that a feature may be, and what JSON writes in more ways than one. */
const VALUES: readonly unknown[] = [
  0.1 + 0.2,
  -1e-7,
  1e21,
  5e-324,
  "99999999999999999999999999999999999.25",
  '\0 \u2028 " \\ ぶどう色 {},\n',
  "\ud800",
  null,
  true,
  ["a", null, 1],
  { red: 1, "10": "x", blue: null },
];

describe.each(truths())("sampled answers %s", (_name, open) => {
  let truth: Truth;
  beforeAll(async () => void (truth = await open()));
  afterAll(() => truth.close());

  const listed = (
    tenant: string,
    parts: { before?: string; since?: number; limit?: number } = {},
  ) => truth.servedAnswers.list({ tenant, before: null, since: 0, limit: 100, ...parts });

  it("are kept as they were, values to the last digit, and listed newest first", async () => {
    const tenant = newTenant();
    const whole = answer(tenant, 2_000, {
      service: "all",
      key: "ぶどう,1%25",
      features: VALUES.map((_, i) => `f${i}`),
      values: VALUES,
      statuses: VALUES.map(() => "PRESENT"),
      capped: ["f3"],
    });
    const others = [answer(tenant, 1_000, { asOf: -5 }), answer(tenant, 3_000)];
    await truth.servedAnswers.add([others[0] as ServedAnswer, whole]);
    await truth.servedAnswers.add([others[1] as ServedAnswer]);
    expect(await listed(tenant)).toEqual([others[1], whole, others[0]]);
    expect(JSON.stringify((await listed(tenant))[1]?.values)).toBe(JSON.stringify(VALUES));
    expect(await listed(newTenant())).toEqual([]);
    await truth.servedAnswers.add([]);
  });

  it("are kept once, as they came first, however often they come", async () => {
    const tenant = newTenant();
    const [first, second] = [answer(tenant, 1_000), answer(tenant, 2_000)];
    await truth.servedAnswers.add([first, first]);
    await truth.servedAnswers.add([{ ...first, key: "changed" }, second]);
    expect(await listed(tenant)).toEqual([second, first]);
    // The same id of another tenant is another answer.
    const other = newTenant();
    await truth.servedAnswers.add([{ ...first, tenant: other }]);
    expect(await listed(other)).toHaveLength(1);
  });

  it("are listed page by page, from a time on", async () => {
    const tenant = newTenant();
    const all = [1, 2, 3, 4, 5].map((second) => answer(tenant, second * 1_000));
    await truth.servedAnswers.add(all);
    const times = async (parts: Parameters<typeof listed>[1]) =>
      (await listed(tenant, parts)).map(({ servedAt }) => servedAt);
    expect(await times({ limit: 2 })).toEqual([5_000, 4_000]);
    expect(await times({ limit: 2, before: all[3]?.id ?? "" })).toEqual([3_000, 2_000]);
    expect(await times({ limit: 9, before: all[1]?.id ?? "" })).toEqual([1_000]);
    expect(await times({ since: 3_000 })).toEqual([5_000, 4_000, 3_000]);
    expect(await times({ since: 3_000, before: all[3]?.id ?? "" })).toEqual([3_000]);
  });

  it("are forgotten, oldest first, no more at a time than asked", async () => {
    const tenant = newTenant();
    // Before every time that other tests use.
    await truth.servedAnswers.add([1, 2, 3, 4].map((time) => answer(tenant, time)));
    const left = async () => (await listed(tenant)).map(({ servedAt }) => servedAt);
    expect(await truth.servedAnswers.removeBefore(4, 2)).toBe(2);
    expect(await left()).toEqual([4, 3]);
    expect(await truth.servedAnswers.removeBefore(4, 2)).toBe(1);
    expect(await truth.servedAnswers.removeBefore(4, 2)).toBe(0);
    expect(await left()).toEqual([4]);
  });

  it("are refused together where a text is none that a database can keep", async () => {
    const tenant = newTenant();
    const bad = answer(tenant, 2_000, { key: "\0" });
    const adding = truth.servedAnswers.add([answer(tenant, 1_000), bad]);
    await expect(adding).rejects.toBeInstanceOf(RejectedByStore);
    expect(await listed(tenant)).toEqual([]);
  });
});
