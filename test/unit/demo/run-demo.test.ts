import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { readDemo } from "../../../local/demo/demo-file.ts";
import { developmentKeys } from "../../../local/demo/keys.ts";
import { runDemo, type RunDemoOptions } from "../../../local/demo/run-demo.ts";
import {
  shopNow,
  SIGNING_SECRET,
  startShopServer,
  WEBHOOK_SECRET,
  type ShopServer,
} from "./shop-server.ts";

const keys = await developmentKeys(SIGNING_SECRET, 8787);
let server: ShopServer;
let dataDir: string;

async function open(): Promise<void> {
  server = await startShopServer();
  dataDir = mkdtempSync(join(tmpdir(), "demo-"));
}

async function close(): Promise<void> {
  await server.close();
  rmSync(dataDir, { recursive: true });
}

/** Runs the example and answers what it printed. */
async function run(changes: Partial<RunDemoOptions> = {}): Promise<string> {
  const lines: string[] = [];
  await runDemo({
    url: server.url,
    keys,
    webhookSecret: WEBHOOK_SECRET,
    dataDir,
    now: shopNow,
    print: (line) => void lines.push(line),
    payments: 300,
    reads: 4,
    ...changes,
  });
  return lines.join("\n");
}

const sent = (): readonly string[] =>
  server.requests.filter((request) => request.includes("/v1/sources/"));

/** What a shell makes of a curl command: its arguments. */
const argumentsOf = (command: string): readonly string[] =>
  execFileSync("sh", ["-c", `curl() { printf '%s\\0' "$@"; }; ${command}`], { encoding: "utf8" })
    .split("\0")
    .slice(0, -1);

function fetchAsCurl(command: string): Promise<Response> {
  const [silent, ...args] = argumentsOf(command);
  expect(silent).toBe("-s");
  const after = (flag: string): readonly string[] =>
    args.filter((_, i) => args[i - 1] === flag).map((value) => value);
  const [body] = after("-d");
  const [method = "POST"] = after("-X");
  const url = args.find((arg) => arg.startsWith("http")) ?? "";
  const headers = after("-H").map((header) => header.split(": ") as [string, string]);
  return fetch(url, { headers, ...(body !== undefined && { method, body }) });
}

describe("the first start", () => {
  let report: string;

  beforeAll(async () => {
    await open();
    report = await run();
  });
  afterAll(close);

  it("sends every payment, by key and by webhook, and reports what came of it", () => {
    expect(report).toMatch(
      /^ {2}sent +30\d, \d of them repeats; 16 as signed webhooks, \d+ imported with the time at which each was known$/m,
    );
    expect(report).toMatch(/^ {2}accepted +30\d, rejected 0$/m);
    expect(report).toMatch(/^ {2}applied +300: every payment is visible/m);
    expect(report).toMatch(/^ {2}lag +p50 [\d.]+ m?s, p99 [\d.]+ m?s .* 15 payments/m);
    expect(report).toContain("recomputed from the 301 raw payments: 0 differences");
    expect(sent().filter((request) => request.startsWith("WEBHOOK"))).toHaveLength(16);
    expect(sent().filter((request) => request.endsWith("?wait=applied"))).toHaveLength(16);
    expect(server.truth.events.size).toBe(301);
    expect(server.truth.quarantine.size).toBe(0);
  });

  it("shows a customer's features before and after one more payment", () => {
    expect(report).toMatch(/customer c\d+, who usually pays [\d.]+, pays 899.90 at m\d+, from BR/);
    expect(report).toMatch(/^ {2}customer_spend:last_country +(?!BR)[A-Z]{2} +BR$/m);
    expect(report).toMatch(/^ {2}velocity:country_changed +true +false$/m);
  });

  it("asks the model about a usual payment and the theft before that is made", () => {
    expect(report).toMatch(/^Before a payment is approved[^]*^One more payment/m);
    expect(report).toMatch(/^ {2}payment +[\d.]+ from [A-Z]{2} .* 899\.90 from BR +adds to/m);
    const [, usual, theft] =
      /^ {2}probability of fraud +([\d.]+) % .* ([\d.]+) % /m.exec(report) ?? [];
    expect(Number(usual)).toBeLessThan(Number(theft));
    expect(report).toMatch(/^ {2}velocity:amount_vs_mean +1\.00 +[+−][\d.]+ +[\d.]+ +\+[\d.]+$/m);
  });

  it("finds articles in both languages, and documents of this project by a filter", () => {
    expect(report).toMatch(/^A help centre: \d+ articles in English, \d+ in Japanese, and \d+ /m);
    expect(report).toMatch(
      /^ {4}1 {2}How long does a refund take\? +en +bm25 [\d.]+ +cos 0\.\d+ /m,
    );
    expect(report).toMatch(/^ {4}1 {2}不在票が入っていたとき.* ja +bm25 .*«/m);
    expect(report).toMatch(/where \{"topic":"freshet"\}\n {4}1 {2}Design /);
  });

  it("measures each kind of call, with its round trips", () => {
    expect(report).toMatch(/^ {2}read 1 customer, 1 view +4 .* ms +1 Redis$/m);
    expect(report).toMatch(/^ {2}read 100 customers and merchants, 3 views +2 .* ms +1 Redis$/m);
    expect(report).toMatch(/^ {2}predict for 1 payment +4 .* ms +1 Redis$/m);
    expect(report).toMatch(/^ {2}predict for 100 payments +2 .* ms +1 Redis$/m);
    expect(report).toMatch(/^ {2}search by words and vectors +4 .* ms +1 Postgres$/m);
    expect(report).toMatch(/^ {2}search by words +4 .* ms +1 Postgres$/m);
    expect(report).toMatch(/^ {2}put 1 document +1 .* ms /m);
    expect(report).toMatch(/^ {2}send 1 payment +16 .* ms/m);
    expect(report).toMatch(/^ {2}send 1 payment and wait until it is visible +15 .* ms/m);
  });

  it("prints commands that work when they are pasted", async () => {
    const commands = report.split("\n").filter((line) => line.startsWith("curl "));
    expect(commands).toHaveLength(8);
    const [read = "", ask = "", predict = "", send = "", english = "", japanese = ""] = commands;
    const answerTo = async <T>(command: string): Promise<T> => {
      const response = await fetchAsCurl(command);
      expect(response.status).toBeLessThan(300);
      return response.json();
    };
    const payments = async (): Promise<unknown> => {
      const answer = await answerTo<{ names: string[]; results: [{ values: unknown[] }] }>(read);
      return answer.results[0].values[answer.names.indexOf("customer_spend:payments_1h")];
    };
    expect(await payments()).toBe(1);
    expect(await answerTo(ask)).toMatchObject({ results: [{}, {}] });
    expect(await answerTo(predict)).toMatchObject({
      predictions: [{ value: expect.any(Number) as number }, {}],
    });
    expect(await answerTo(send)).toMatchObject({ accepted: 1, applied: true });
    expect(await payments()).toBe(2);

    const first = (id: string): object => ({ hits: [{ id }, {}, {}] });
    expect(await answerTo(english)).toMatchObject(first("delivery-times"));
    expect(await answerTo(japanese)).toMatchObject(first("ja-points"));
    const [put = "", search = ""] = commands.slice(-2);
    expect(await answerTo(put)).toMatchObject({ id: "plants", chunks: 1 });
    expect(await answerTo(search)).toMatchObject(first("plants"));
  });

  it("leaves nothing in the help centre that was put there to measure", async () => {
    const headers = { authorization: `Bearer ${keys.secret}` };
    const documentAt = (id: string): Promise<Response> =>
      fetch(`${server.url}/v1/collections/helpdesk/documents/${encodeURIComponent(id)}`, {
        headers,
      });
    expect((await documentAt("measured")).status).toBe(404);
    expect(await (await documentAt("docs/design.md")).json()).toMatchObject({ title: "Design" });
  });

  it("prints a publishable key that reads from its pages and sends nothing", async () => {
    const call = (origin: string, path: string, method: string): Promise<number> =>
      fetch(`${server.url}/v1/${path}`, {
        method,
        headers: {
          origin,
          authorization: `Bearer ${keys.publishable}`,
          "content-type": "application/json",
        },
        ...(method === "POST" && { body: "{}" }),
      }).then(({ status }) => status);
    const page = "http://localhost:5173";
    expect(await call(page, "features/customer_spend/c1", "GET")).toBe(200);
    expect(await call("https://elsewhere.example", "features/customer_spend/c1", "GET")).toBe(401);
    expect(await call(page, "sources/payments/events", "POST")).toBe(403);
    expect(await call(page, "collections/helpdesk/documents", "POST")).toBe(403);
  });
});

describe("a start", () => {
  beforeEach(open);
  afterEach(close);

  it("repeats calls for which the Worker was busy", async () => {
    server.faults.push(...(["none", "busy", "busy", "none", "busy"] as const));
    expect(await run()).toContain("0 differences");
    expect(server.truth.events.size).toBe(301);
  });

  it("sends nothing again where all is there, a day later too, and still reports", async () => {
    await run();
    const before = sent().length;
    const demo = await readDemo(dataDir);
    expect(demo).toMatchObject({ payments: 300, later: [{ amount: "899.90" }] });
    const report = await run({ now: () => shopNow() + 26 * 3_600_000 });
    expect(sent()).toHaveLength(before);
    expect(report).toContain("301 payments, here since");
    expect(report).toContain("nothing is sent again");
    expect(report).toMatch(/recomputed from the 301 raw payments: 0 differences/);
    expect(report).toMatch(/^ {2}read 1 customer, 1 view +4 /m);
    expect(report).toMatch(/^ {2}probability of fraud +/m);
    expect(report).toMatch(/^ {4}1 {2}How long does a refund take\?/m);
    expect(report).not.toContain("send 1 payment");
    expect(await readDemo(dataDir)).toEqual(demo);
  });

  it("sends everything again after an interruption, and each payment counts once", async () => {
    server.faults.push(...Array.from({ length: 20 }, () => "none" as const), "cut");
    await expect(run()).rejects.toThrow("does not answer");
    const interrupted = server.truth.events.size;
    expect(interrupted).toBeGreaterThan(0);
    expect(interrupted).toBeLessThan(300);

    const report = await run();
    expect(report).toMatch(/ of 300 payments are here from an earlier start; all are sent again/);
    expect(report).toContain("recomputed from the 301 raw payments: 0 differences");
    expect(server.truth.events.size).toBe(301);
    expect(server.truth.quarantine.size).toBe(0);
  });

  it("leaves an example alone that was begun in another directory", async () => {
    await run();
    rmSync(join(dataDir, "demo.json"));
    const before = sent().length;
    const report = await run();
    expect(report).toContain("begun elsewhere: nothing is sent");
    expect(report).not.toContain("Check:");
    expect(sent()).toHaveLength(before);
    expect(await readDemo(dataDir)).toBeNull();
  });

  it("shows every value that differs from the recomputation", async () => {
    await run();
    const stray = [...server.truth.events.values()].at(-1);
    const payment = { ...(JSON.parse(stray?.body ?? "{}") as object), email: "a@example.com" };
    await fetch(`${server.url}/v1/sources/payments/events?wait=applied`, {
      method: "POST",
      headers: { authorization: `Bearer ${keys.secret}`, "content-type": "application/json" },
      body: JSON.stringify([
        { ...payment, payment_id: "stray_1", customer_id: "c1", amount: "1" },
        { ...payment, payment_id: "stray_2", customer_id: "c2", amount: "1" },
      ]),
    });
    const report = await run();
    expect(report).toMatch(/raw payments: \d+ differences/);
    expect(report).not.toContain(": 0 differences");
    expect(report).toMatch(/^ {2}c[12] customer_spend:payments_1h: served \d+, recomputed \d+$/m);
  });
});
