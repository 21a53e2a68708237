import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runAuditSkew } from "../../cli/run-audit-skew.ts";
import { DEMO_TENANT, developmentKeys } from "../../local/demo/keys.ts";
import { prepare } from "../../local/prepare.ts";
import { startStack, type Stack } from "../../local/stack.ts";
import { createSqlClient } from "../../src/platform/neon/sql-client.ts";

interface Report {
  readonly answers: number;
  readonly values: number;
}

describe("the skew audit of the running stack", () => {
  let stack: Stack;
  let dataDir: string;
  let key: string;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), "freshet-test-"));
    stack = await startStack({ dataDir, port: 0, clock: false, vars: { SKEW_SAMPLE: "1" } });
    await prepare(stack, DEMO_TENANT, () => undefined);
    key = (await developmentKeys(stack.secrets["KEY_SIGNING_SECRET"] ?? "", 8787)).secret;
  });

  afterAll(async () => {
    await stack.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  async function call(path: string, body?: unknown): Promise<number> {
    const response = await fetch(`${stack.url}${path}`, {
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
    });
    await response.arrayBuffer();
    return response.status;
  }

  async function audit(): Promise<{ readonly code: number; readonly report: Report }> {
    const { connectionString, sqlUrl: fetchEndpoint } = stack.sql;
    const client = createSqlClient({ connectionString, fetchEndpoint, timeoutMs: 20_000 });
    const printed: string[] = [];
    const terminal = { print: (line: string) => void printed.push(line), tell: () => undefined };
    const limit = Number.POSITIVE_INFINITY;
    const code = await runAuditSkew({
      terminal,
      since: 0,
      limit,
      tenant: DEMO_TENANT,
      shown: 5,
      json: true,
      screen: { tell: terminal.tell },
      connect: async () => ({ ...client, where: "the stack", local: true }),
    });
    return { code, report: JSON.parse(printed.join("\n")) as Report };
  }

  const customers = ["c1", "c2", "c3"];
  const payment = (n: number) => ({
    payment_id: `p${n}`,
    customer_id: customers[n % 3],
    merchant_id: `m${n % 2}`,
    amount: `${n}.10`,
    country: n % 2 === 0 ? "DE" : "JP",
    email: "somebody@example.com",
    // Each is earlier than the one before: all but the first are late.
    paid_at: new Date(Date.now() - n * 3_600_000).toISOString(),
  });

  it("finds no value that differs, of reads and predictions made while events came in", async () => {
    const entities = customers.map((customer_id) => ({ customer_id, merchant_id: "m1" }));
    const request = entities.map(() => ({ amount: 25, country: "DE" }));
    const reads = async (): Promise<number[]> => [
      await call("/v1/features/online", { service: "payment_review", entities, request }),
      await call("/v1/features/online", { features: ["customer_spend"], entities }),
      await call("/v1/features/customer_lifetime/c1"),
      await call("/v1/models/fraud/predictions", { entities, request }),
    ];
    const sends = async (): Promise<void> => {
      for (let n = 0; n < 60; n += 5) {
        const some = [0, 1, 2, 3, 4].map((i) => payment(n + i));
        // Everything twice: as a webhook does that has not heard the answer.
        await call("/v1/sources/payments/events", some);
        await call(`/v1/sources/payments/events${n % 15 === 0 ? "?wait=applied" : ""}`, some);
      }
    };
    const statuses: number[] = [];
    const sending = { isDone: false };
    const sent = sends().finally(() => (sending.isDone = true));
    while (!sending.isDone) statuses.push(...(await reads()));
    await sent;
    statuses.push(...(await reads()));
    expect(new Set(statuses)).toEqual(new Set([200]));

    expect(await stack.drain(30_000)).toBe(0);
    const { code, report } = await audit();
    expect(report).toMatchObject({ mismatched: 0, missing: 0, extra: 0, differences: [] });
    expect(report).toMatchObject({
      not_replayed: { unknown_view: 0, not_understood: 0, erased: 0 },
    });
    expect(report.answers).toBeGreaterThan(statuses.length);
    expect(report.values).toBeGreaterThan(report.answers);
    expect(code).toBe(0);
  });
});
