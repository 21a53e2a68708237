import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEMO_TENANT, developmentKeys } from "../../local/demo/keys.ts";
import { recompute } from "../../local/demo/oracle.ts";
import type { Fault } from "../../local/facade-server.ts";
import { prepare } from "../../local/prepare.ts";
import { startStack, type Stack } from "../../local/stack.ts";
import { customerSpend } from "../../definitions/views.ts";

interface Answer {
  readonly status: number;
  readonly body: {
    readonly accepted?: number;
    readonly applied?: boolean;
    readonly code?: string;
    readonly as_of?: number;
    readonly names?: readonly string[];
    readonly results?: readonly { readonly values: readonly unknown[] }[];
  };
}

const EVERY_MINUTE = "* * * * *";

describe("the running stack, while its stores fail", () => {
  let stack: Stack;
  let dataDir: string;
  let key: string;
  let [postgres, redis]: [Fault, Fault] = [null, null];

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "freshet-test-"));
    stack = await startStack({
      dataDir,
      port: 0,
      clock: false,
      sqlFacade: { fault: () => postgres },
      redisFacade: { fault: () => redis },
    });
    await prepare(stack, DEMO_TENANT, () => undefined);
    key = (await developmentKeys(stack.secrets["KEY_SIGNING_SECRET"] ?? "", 8787)).secret;
  }, 120_000);

  afterAll(async () => {
    await stack.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  async function call(path: string, body?: unknown): Promise<Answer> {
    const response = await fetch(`${stack.url}${path}`, {
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json<Answer["body"]>() };
  }

  const payment = (customer: string, n: number) => ({
    payment_id: `${customer}-${n}`,
    customer_id: customer,
    merchant_id: "m1",
    amount: `${n}.25`,
    country: "DE",
    email: "somebody@example.com",
    paid_at: new Date(Date.now() - (n + 1) * 60_000).toISOString(),
  });

  const send = (events: readonly object[], wait = false): Promise<Answer> =>
    call(`/v1/sources/payments/events${wait ? "?wait=applied" : ""}`, events);

  const read = (customer: string): Promise<Answer> =>
    call("/v1/features/online", {
      features: ["customer_spend"],
      entities: [{ customer_id: customer }],
    });

  /** The answer's values are those of a naive recomputation from the events that were sent. */
  async function expectRight(customer: string, sent: readonly ReturnType<typeof payment>[]) {
    const { status, body } = await read(customer);
    expect(status).toBe(200);
    const expected = recompute(customerSpend, sent, { customer_id: customer }, body.as_of ?? 0);
    const named = (body.names ?? []).map((name, i): [string, unknown] => [
      name.split(":")[1] ?? "",
      body.results?.[0]?.values[i],
    ]);
    expect(Object.fromEntries(named)).toEqual(expected);
  }

  const countOf = async (customer: string): Promise<unknown> =>
    (await read(customer)).body.results?.[0]?.values[1];

  it("takes events with 202 while Postgres is down, and applies them when it is back", async () => {
    const sent = [1, 2, 3].map((n) => payment("down-postgres", n));
    postgres = "error";
    expect(await send(sent)).toMatchObject({ status: 202, body: { accepted: 3 } });
    // Reads need no Postgres.
    expect((await read("down-postgres")).status).toBe(200);
    postgres = null;
    await expect.poll(() => countOf("down-postgres"), { timeout: 30_000 }).toBe(3);
    await expectRight("down-postgres", sent);
  });

  it("takes events while Redis is down, says so to readers, and catches up by the sweep", async () => {
    const sent = [1, 2].map((n) => payment("down-redis", n));
    redis = "error";
    expect(await send(sent)).toMatchObject({ status: 202, body: { accepted: 2 } });
    expect(await read("down-redis")).toMatchObject({
      status: 503,
      body: { code: "dependency_unavailable" },
    });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    redis = null;
    await expect
      .poll(
        async () => {
          await stack.scheduled(EVERY_MINUTE, Date.now());
          return countOf("down-redis");
        },
        { timeout: 30_000, interval: 1_000 },
      )
      .toBe(2);
    await expectRight("down-redis", sent);
  });

  it("loses nothing when answers of both stores are lost", async () => {
    const sent = Array.from({ length: 20 }, (_, n) => payment("lost-answers", n + 1));
    postgres = "lose";
    expect((await send(sent)).status).toBe(202);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    postgres = null;
    redis = "lose";
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    redis = null;
    await expect
      .poll(
        async () => {
          await stack.scheduled(EVERY_MINUTE, Date.now());
          return countOf("lost-answers");
        },
        { timeout: 30_000, interval: 1_000 },
      )
      .toBe(20);
    await expectRight("lost-answers", sent);
  });

  it("answers 503, never a zero, from a flushed Redis until it is filled again", async () => {
    const sent = [1, 2, 3, 4].map((n) => payment("flushed", n));
    expect((await send(sent, true)).body.applied).toBe(true);
    await expectRight("flushed", sent);
    await stack.redis.backend.run([["FLUSHALL"]]);
    expect((await read("flushed")).status).toBe(503);
    await stack.scheduled(EVERY_MINUTE, Date.now());
    await expect.poll(async () => (await read("flushed")).status, { timeout: 30_000 }).toBe(200);
    await expectRight("flushed", sent);
  });
});
