import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { developmentKeys } from "../../local/demo/keys.ts";
import type { Secrets } from "../../local/secrets.ts";

const START = join(import.meta.dirname, "../../local/start.ts");
const CUSTOMER = "c1";

interface Run {
  readonly process: ChildProcess;
  /** What it has written so far. */
  output(): string;
  /** Resolves to the exit code. */
  readonly exit: Promise<number | null>;
}

describe("npm start", () => {
  let parent: string;
  let dataDir: string;
  const runs: Run[] = [];
  beforeAll(async () => {
    parent = await mkdtemp(join(tmpdir(), "freshet-test-"));
    dataDir = join(parent, "data");
  });
  afterEach(async () => {
    for (const run of runs.splice(0)) run.process.kill("SIGKILL");
  });
  afterAll(() => rm(parent, { recursive: true, force: true }));

  function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Run {
    const { PATH = "", HOME = "" } = process.env;
    const child = spawn(process.execPath, [START, ...args], {
      env: { PATH, HOME, ...env } as unknown as NodeJS.ProcessEnv,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (piece: Buffer) => void (output += piece.toString()));
    }
    const exit = once(child, "exit").then(([code]) => code as number | null);
    const run = { process: child, output: () => output, exit };
    runs.push(run);
    return run;
  }

  /** Starts without the example on any port; answers when it serves. */
  async function serve(): Promise<Run & { readonly url: string }> {
    const run = start(["--no-demo", "--port", "0", "--data-dir", dataDir]);
    const served = /^Serving on (\S+);/m;
    const ended = (): boolean => run.process.exitCode !== null;
    await vi.waitUntil(() => ended() || served.test(run.output()), { timeout: 60_000 });
    expect(run.output()).toMatch(served);
    return { ...run, url: served.exec(run.output())?.[1] ?? "" };
  }

  async function call(
    url: string,
    path: string,
    body?: unknown,
    method = "POST",
  ): Promise<unknown> {
    const secrets = JSON.parse(await readFile(join(dataDir, "secrets.json"), "utf8")) as Secrets;
    const { secret } = await developmentKeys(secrets["KEY_SIGNING_SECRET"] ?? "", 8787);
    const response = await fetch(`${url}${path}`, {
      headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
      ...(body !== undefined && { method, body: JSON.stringify(body) }),
    });
    return response.json();
  }

  const payment = (n: number): object => ({
    payment_id: `p${n}`,
    customer_id: CUSTOMER,
    merchant_id: "m1",
    amount: "1.50",
    country: "DE",
    email: "somebody@example.com",
    paid_at: new Date(Date.now() - 60_000).toISOString(),
  });
  const payments = (from: number, to: number): readonly object[] =>
    Array.from({ length: to - from }, (_, i) => payment(from + i));
  const send = (url: string, list: readonly object[], wait = true): Promise<unknown> =>
    call(url, `/v1/sources/payments/events${wait ? "?wait=applied" : ""}`, list);

  async function count(url: string): Promise<unknown> {
    const answer = await call(url, `/v1/features/customer_lifetime/${CUSTOMER}`);
    const { names, results } = answer as {
      names: readonly string[];
      results: readonly { values: readonly unknown[] }[];
    };
    return results[0]?.values[names.indexOf("customer_lifetime:payments")];
  }

  const put = (url: string, id: string, body: string): Promise<unknown> =>
    call(url, `/v1/collections/helpdesk/documents/${id}`, { title: "Parcels", body }, "PUT");

  /** The ids of what a search finds, best first. */
  async function find(url: string, query: string): Promise<readonly string[]> {
    const answer = await call(url, "/v1/collections/helpdesk/search", { query });
    return (answer as { hits: readonly { id: string }[] }).hits.map(({ id }) => id);
  }

  const predict = (url: string): Promise<unknown> =>
    call(url, "/v1/models/fraud/predictions", {
      entities: [{ customer_id: CUSTOMER }],
      request: [{ amount: 900, country: "BR" }],
    });

  it("has after kill -9 what it said was applied, and takes everything once when sent again", async () => {
    const first = await serve();
    expect(await send(first.url, payments(0, 60))).toMatchObject({ accepted: 60, applied: true });
    expect(await put(first.url, "lost", "荷物が届きません: the parcel is lost.")).toMatchObject({
      chunks: 1,
    });
    expect(await find(first.url, "parcels that were lost")).toEqual(["lost"]);
    const predictions = [
      { value: expect.any(Number) as number, label: expect.any(String) as string },
    ];
    expect(await predict(first.url)).toMatchObject({ model: { name: "fraud" }, predictions });
    void send(first.url, payments(60, 200), false).catch(() => undefined);
    void send(first.url, payments(200, 300)).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 80));
    first.process.kill("SIGKILL");
    await first.exit;
    // workerd and Redis go with it, and the port is free again.
    await expect
      .poll(() =>
        fetch(first.url).then(
          () => "up",
          () => "down",
        ),
      )
      .toBe("down");

    const second = await serve();
    expect(Number(await count(second.url))).toBeGreaterThanOrEqual(60);
    expect(await find(second.url, "荷物が届かない")).toEqual(["lost"]);
    await put(second.url, "found", "The parcel turned up.");
    expect(await find(second.url, "turn up")).toContain("found");
    expect(await predict(second.url)).toMatchObject({ predictions });
    for (const from of [0, 100, 200]) {
      expect(await send(second.url, payments(from, from + 100))).toMatchObject({ applied: true });
    }
    expect(await count(second.url)).toBe(300);
    second.process.kill("SIGINT");
    await second.exit;
  });

  it("applies on Ctrl-C what waits in the queue, and ends", async () => {
    const run = await serve();
    const before = Number(await count(run.url));
    for (const from of [1_000, 1_500]) await send(run.url, payments(from, from + 500), false);
    run.process.kill("SIGINT");
    // npm passes the same Ctrl-C on.
    run.process.kill("SIGINT");
    expect(await run.exit).toBe(0);
    expect(run.output()).toContain("Stopped.");

    const again = await serve();
    expect(await count(again.url)).toBe(before + 1_000);
    expect((await stat(join(dataDir, "stack.json"))).mode & 0o777).toBe(0o600);

    const other = start(["--port", "0", "--data-dir", dataDir]);
    expect(await other.exit).toBe(1);
    expect(other.output()).toContain(`in use by process ${again.process.pid}`);

    again.process.kill("SIGTERM");
    expect(await again.exit).toBe(0);
    await expect(stat(join(dataDir, "stack.json"))).rejects.toThrow("ENOENT");
  });

  it("ends at once on a second Ctrl-C", async () => {
    const run = await serve();
    // More than can be folded before the second signal.
    const many = Array.from({ length: 24 }, (_, i) => 2_000 + i * 500);
    await Promise.all(many.map((from) => send(run.url, payments(from, from + 500), false)));
    run.process.kill("SIGINT");
    await vi.waitUntil(() => run.output().includes("Stopping"), { timeout: 30_000 });
    // Sooner, it would be the same keystroke.
    await new Promise((resolve) => setTimeout(resolve, 600));
    run.process.kill("SIGINT");
    expect(await run.exit).toBe(130);
    await expect
      .poll(() =>
        fetch(run.url).then(
          () => "up",
          () => "down",
        ),
      )
      .toBe("down");
  });

  it("names the port that is in use and suggests another", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const run = start(["--data-dir", join(parent, "other")], { PORT: String(port) });
    expect(await run.exit).toBe(1);
    expect(run.output()).toBe(
      `Port ${port} is in use by another program. Choose another: PORT=8787 npm start\n`,
    );
    server.close();
  });

  it.each([
    [
      "DATABASE_URL",
      "postgres://u:hush@127.0.0.1:9/db",
      "Cannot use the Postgres at postgres://u:…@127",
    ],
    ["DATABASE_URL", "mysql://host/db", "DATABASE_URL must look like postgresql://"],
    ["REDIS_URL", "redis://:hush@127.0.0.1:9", "Cannot use the Redis at redis://:…@127"],
  ])("says what is wrong with %s=%s", async (name, value, sentence) => {
    const args = ["--port", "0", "--data-dir", join(parent, "other")];
    const run = start(args, { [name]: value });
    expect(await run.exit).toBe(1);
    expect(run.output()).toContain(sentence);
    expect(run.output()).not.toContain("hush");
    expect(run.output()).not.toContain("    at ");
  });

  it("explains itself", async () => {
    const run = start(["--help"]);
    expect(await run.exit).toBe(0);
    expect(run.output()).toContain("npm start -- --no-demo");
    const wrong = start(["--demo=no"]);
    expect(await wrong.exit).toBe(2);
    expect(wrong.output()).toContain("See: npm start -- --help");
  });
});
