import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { definitions } from "../../../definitions/index.ts";
import { UsageError } from "../../../cli/args.ts";
import { readQualityArgs } from "../../../cli/quality-args.ts";
import { runQuality, type RunQualityOptions } from "../../../cli/run-quality.ts";
import { compileDeployment } from "../../../src/deployment.ts";
import { profileViews } from "../../../src/features/quality/profile-views.ts";
import { HOUR_MS } from "../../../src/time.ts";
import { createTestApi, payment, type TestApi } from "../../support/requests.ts";

async function pay(api: TestApi, customers: number, country: string): Promise<void> {
  const json = Array.from({ length: customers }, (_, i) =>
    payment({
      payment_id: `${country}${i}`,
      customer_id: `c${i}`,
      country,
      paid_at: new Date(api.clock.now - 60_000).toISOString(),
    }),
  );
  await api.call("POST /v1/sources/payments/events", { key: await api.key(), json });
  await api.settle();
}

async function quality(api: TestApi, options: Partial<RunQualityOptions> = {}) {
  const [printed, told]: [string[], string[]] = [[], []];
  const { registry, profiles, now } = api.ctx();
  const code = await runQuality({
    registry,
    profiles,
    now,
    tenant: "acme",
    views: [...registry.views.values()].slice(0, 1),
    window: undefined,
    baseline: undefined,
    takeNow: false,
    json: false,
    failAbove: null,
    terminal: { print: (line) => void printed.push(line), tell: (line) => void told.push(line) },
    ...options,
  });
  return { code, printed, told };
}

describe("npm run quality", () => {
  it("says that there is no profile yet, and takes one now where it is told to", async () => {
    const api = await createTestApi();
    await pay(api, 3, "DE");
    const none = await quality(api);
    expect(none.printed).toEqual([
      "customer_spend, version 1",
      "  no profile yet: one is taken every hour",
    ]);
    const { code, printed, told } = await quality(api, { takeNow: true, failAbove: 0.25 });
    expect([code, told]).toEqual([0, []]);
    expect(printed[0]).toBe(
      "customer_spend, version 1, on 2026-11-22T12:00:00.000Z: 3 entities, " +
        "0 without an event in any window",
    );
    expect(printed[1]).toMatch(/^ {2}newest event 60 s before, latest taken in 1 s before; /);
    const line = (name: string) => printed.find((one) => one.startsWith(`  ${name} `)) ?? "";
    expect(line("payments_1h").trim().split(/ {2,}/)).toEqual([
      "payments_1h",
      "integer",
      "0.0 %",
      "1",
      "1",
      "1",
      "1",
      "–",
    ]);
    expect(line("last_country")).toMatch(/string .* DE 100.0 %$/);
    expect(printed.at(-1)).toBe(
      "  no baseline yet: the first profile is of 2026-11-22T12:00:00.000Z",
    );
  });

  it("says no more of percentiles than their sketch knows, and shows empty text", async () => {
    const api = await createTestApi();
    await pay(api, 3, "");
    const [view] = api.ctx().registry.views.values();
    const amounts = ["1e20", "3e20", "-5e20"];
    for (const [i, amount] of amounts.entries()) {
      const event = payment({ payment_id: `big${i}`, customer_id: `c${i}`, amount, country: "" });
      const sent = await api.call("POST /v1/sources/payments/events", {
        key: await api.key(),
        json: [event],
      });
      expect(await sent.json()).toMatchObject({ accepted: 1 });
    }
    await api.settle();
    const { printed } = await quality(api, { takeNow: true, views: view ? [view] : [] });
    const line = (name: string) => printed.find((one) => one.startsWith(`  ${name} `)) ?? "";
    expect(line("amount_max_1d").trim().split(/ {2,}/).slice(3, 7)).toEqual([
      "> 1E15",
      "> 1E15",
      "12.5",
      "3E20",
    ]);
    expect(line("amount_mean_30d")).toMatch(/> 1E15/);
    expect(line("last_country")).toMatch(/ "" 100\.0 %$/);
  });

  it("ends with 1 where something drifted by more than it may", async () => {
    const api = await createTestApi();
    await pay(api, 60, "DE");
    await profileViews(api.ctx());
    api.clock.now += HOUR_MS;
    await pay(api, 60, "FR");
    const windows = { window: HOUR_MS, baseline: HOUR_MS, takeNow: true };
    const drifted = await quality(api, { ...windows, failAbove: 0.25 });
    expect(drifted.code).toBe(1);
    expect(drifted.told[0]).toMatch(
      /^Drifted by more than 0.25: .*customer_spend:last_country \(\d\.\d{3}\)/,
    );
    expect(drifted.printed.join("\n")).toMatch(/last_country .* \d\.\d{3} shifted/);
    expect((await quality(api, { ...windows, failAbove: 100 })).code).toBe(0);
    expect((await quality(api, windows)).code).toBe(0);
  });

  it("does not fail for what chance may do", async () => {
    const api = await createTestApi();
    await pay(api, 2, "DE");
    await profileViews(api.ctx());
    api.clock.now += HOUR_MS;
    await pay(api, 2, "FR");
    const windows = { window: HOUR_MS, baseline: HOUR_MS, takeNow: true };
    const { code, printed } = await quality(api, { ...windows, failAbove: 0.25 });
    expect(code).toBe(0);
    expect(printed.join("\n")).toMatch(/last_country .* unclear, chance may do \d+\.\d{2}/);
  });

  it("prints JSON as the API answers it", async () => {
    const api = await createTestApi();
    await pay(api, 3, "DE");
    const { printed } = await quality(api, { json: true, takeNow: true });
    const answer = await api.call("GET /v1/quality/customer_spend", { key: await api.key() });
    expect(JSON.parse(printed.join("\n"))).toEqual({ items: [await answer.json()] });
  });

  it("takes no profile of a view that is not applied", async () => {
    const api = await createTestApi();
    await pay(api, 3, "DE");
    for (const [i, view] of api.truth.views.entries()) {
      api.truth.views[i] = { ...view, complete: false };
    }
    const { printed } = await quality(api, { takeNow: true });
    expect(printed).toEqual([
      "customer_spend",
      "  not applied, or still being built: run `npm run apply`",
    ]);
    expect(api.truth.profiles).toEqual([]);
  });
});

describe("the command line of npm run quality", () => {
  const { registry } = compileDeployment(definitions);
  const read = (line = "") => readQualityArgs(registry, line === "" ? [] : line.split(" "));

  it("asks for all views and the usual windows, unless it says otherwise", () => {
    expect(read("--help")).toBeNull();
    expect(read()).toMatchObject({ window: undefined, failAbove: null, takeNow: false });
    expect(read()?.views).toHaveLength(6);
    const asked = read(
      "merchant_activity --now --json --tenant acme --window 6h --baseline 14d --fail-above 0.25",
    );
    expect(asked).toMatchObject({
      views: [{ name: "merchant_activity" }],
      window: 6 * HOUR_MS,
      baseline: 14 * 24 * HOUR_MS,
      failAbove: 0.25,
      tenant: "acme",
      takeNow: true,
      json: true,
    });
  });

  it("takes nothing that it does not know", () => {
    expect(() => read("customer_spent")).toThrow(/no view "customer_spent", only customer_spend, /);
    expect(() => read("--window 2")).toThrow('--window is 1h to 60d, not "2"');
    expect(() => read("--baseline 61d")).toThrow('--baseline is 1h to 60d, not "61d"');
    expect(() => read("--fail-above much")).toThrow(/number like 0.25, not "much"/);
    expect(() => read("--all")).toThrow(UsageError);
  });

  it("explains itself", async () => {
    const program = join(import.meta.dirname, "../../../cli/quality.ts");
    const { stdout } = await promisify(execFile)(process.execPath, [program, "--help"]);
    expect(stdout).toMatch(/--fail-above 0.25/);
  });
});
