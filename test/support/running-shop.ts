import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect } from "vitest";
import { rebuildOnline, type RebuiltOnline } from "../../cli/rebuild-online.ts";
import { customerSpend } from "../../definitions/views.ts";
import { DEMO_TENANT, developmentKeys } from "../../local/demo/keys.ts";
import { recompute } from "../../local/demo/oracle.ts";
import type { Fault } from "../../local/facade-server.ts";
import { prepare } from "../../local/prepare.ts";
import { startStack, type Stack } from "../../local/stack.ts";
import { createSqlClient } from "../../src/platform/neon/sql-client.ts";
import { createStateArchive } from "../../src/platform/neon/state-archive.ts";
import { createOnlineStore } from "../../src/platform/upstash/online-store.ts";

export interface ShopAnswer {
  readonly status: number;
  readonly body: {
    readonly accepted?: number;
    readonly applied?: boolean;
    readonly code?: string;
    readonly as_of?: number;
    readonly names?: readonly string[];
    readonly results?: readonly { readonly values: readonly unknown[] }[];
    readonly degraded?: readonly string[];
  };
}

export const EVERY_MINUTE = "* * * * *";

/** The n-th payment of a customer, some minutes ago. */
export const paymentOf = (customer: string, n: number) => ({
  payment_id: `${customer}-${n}`,
  customer_id: customer,
  merchant_id: "m1",
  amount: `${n}.25`,
  country: "DE",
  email: "somebody@example.com",
  paid_at: new Date(Date.now() - ((n % 30) + 1) * 60_000).toISOString(),
});

type Payment = ReturnType<typeof paymentOf>;

/** The example on a running stack of its own, whose stores can be made to fail. */
export interface RunningShop {
  readonly stack: Stack;
  readonly faults: { postgres: Fault; redis: Fault };
  send(payments: readonly Payment[], wait?: boolean): Promise<ShopAnswer>;
  read(customer: string): Promise<ShopAnswer>;
  /** How many payments the answer counts. */
  countOf(customer: string): Promise<unknown>;
  /** The answer's values are those of a naive recomputation from the payments that were sent. */
  expectRight(customer: string, sent: readonly Payment[]): Promise<void>;
  flushRedis(): Promise<void>;
  /** What `npm run rebuild` does. */
  rebuild(): Promise<RebuiltOnline>;
  close(): Promise<void>;
}

const TIMEOUT_MS = 15_000;

export async function openRunningShop(
  vars: Readonly<Record<string, string>> = {},
): Promise<RunningShop> {
  const dataDir = await mkdtemp(join(tmpdir(), "freshet-test-"));
  const faults: RunningShop["faults"] = { postgres: null, redis: null };
  const stack = await startStack({
    dataDir,
    port: 0,
    clock: false,
    vars,
    sqlFacade: { fault: () => faults.postgres },
    redisFacade: { fault: () => faults.redis },
  });
  await prepare(stack, DEMO_TENANT, () => undefined);
  const key = (await developmentKeys(stack.secrets["KEY_SIGNING_SECRET"] ?? "", 8787)).secret;

  async function call(path: string, body: unknown): Promise<ShopAnswer> {
    const response = await fetch(`${stack.url}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: await response.json<ShopAnswer["body"]>() };
  }

  const read = (customer: string): Promise<ShopAnswer> =>
    call("/v1/features/online", {
      features: ["customer_spend"],
      entities: [{ customer_id: customer }],
    });

  return {
    stack,
    faults,
    read,
    send: (payments, wait = false) =>
      call(`/v1/sources/payments/events${wait ? "?wait=applied" : ""}`, payments),
    countOf: async (customer) => (await read(customer)).body.results?.[0]?.values[1],
    async expectRight(customer, sent) {
      const { status, body } = await read(customer);
      expect(status).toBe(200);
      const expected = recompute(customerSpend, sent, { customer_id: customer }, body.as_of ?? 0);
      const named = (body.names ?? []).map((name, i): [string, unknown] => [
        name.split(":")[1] ?? "",
        body.results?.[0]?.values[i],
      ]);
      expect(Object.fromEntries(named)).toEqual(expected);
    },
    flushRedis: async () => void (await stack.redis.backend.run([["FLUSHALL"]])),
    async rebuild() {
      const { connectionString, sqlUrl: fetchEndpoint } = stack.sql;
      const { url, token } = stack.redis;
      const timeouts = { readTimeoutMs: TIMEOUT_MS, writeTimeoutMs: TIMEOUT_MS };
      return rebuildOnline({
        archive: createStateArchive(
          createSqlClient({ connectionString, fetchEndpoint, timeoutMs: TIMEOUT_MS }),
        ),
        online: createOnlineStore({ url, token, ...timeouts }),
        tenants: [DEMO_TENANT],
        keepServing: false,
        total: null,
        screen: { tell: () => undefined },
        now: () => Date.now(),
        sleep: (ms) => sleep(ms),
        hold: async () => undefined,
      });
    },
    async close() {
      await stack.close();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** What one reader was answered under load, in this order. */
export interface Heard {
  readonly customer: string;
  readonly status: number;
  readonly count: unknown;
  readonly degraded: readonly string[];
}

/**
 * Does something while payments of customers keep arriving, and somebody keeps reading them. The
 * customers have `before` payments each; answers what was sent of each, and what was heard.
 */
export async function underLoad(
  shop: RunningShop,
  customers: readonly string[],
  before: number,
  happening: () => Promise<void>,
): Promise<{ readonly sent: ReadonlyMap<string, readonly Payment[]>; readonly heard: Heard[] }> {
  const sent = new Map(
    customers.map((customer) => [
      customer,
      Array.from({ length: before }, (_, n) => paymentOf(customer, n)),
    ]),
  );
  const heard: Heard[] = [];
  const load = { goesOn: true };
  const first = await shop.send([...sent.values()].flat(), true);
  expect(first.body.applied).toBe(true);
  const write = async (): Promise<void> => {
    for (let n = before; load.goesOn; n += 1) {
      const next = customers.map((customer) => paymentOf(customer, n));
      expect((await shop.send(next)).status).toBe(202);
      for (const payment of next) sent.get(payment.customer_id)?.push(payment);
      await sleep(10);
    }
  };
  const listen = async (): Promise<void> => {
    for (let n = 0; load.goesOn; n += 1) {
      const customer = customers[n % customers.length] ?? "";
      const { status, body } = await shop.read(customer);
      const { results, degraded = [] } = body;
      heard.push({ customer, status, count: results?.[0]?.values[1], degraded });
    }
  };
  const callers = [write(), listen(), listen()];
  try {
    await happening();
  } finally {
    load.goesOn = false;
    await Promise.all(callers);
  }
  return { sent, heard };
}
