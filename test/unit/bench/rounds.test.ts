import { describe, expect, it } from "vitest";
import { alternate, ratioOf, spreadOf, spreadText } from "../../../bench/support/rounds.ts";

describe("rounds of a benchmark", () => {
  it("run every variant once each, beginning with another one each time", async () => {
    const order: string[] = [];
    const variant = (name: string) => async (round: number) => {
      order.push(`${name}${round}`);
      return `${name}${round}`;
    };
    const measured = await alternate(3, [variant("a"), variant("b")]);
    expect(order).toEqual(["a0", "b0", "b1", "a1", "a2", "b2"]);
    expect(measured).toEqual([
      ["a0", "a1", "a2"],
      ["b0", "b1", "b2"],
    ]);
  });

  it("are compared round by round, so that a slow one for both changes nothing", () => {
    expect(ratioOf([2, 20, 6], [1, 10, 2], (n) => n)).toEqual({
      median: 2,
      lowest: 2,
      highest: 3,
    });
  });

  it("say their middle and how far they were apart", () => {
    expect(spreadText(spreadOf([1.5, 1.25, 4]), (n) => n.toFixed(2))).toBe("1.50 (1.25–4.00)");
  });
});
