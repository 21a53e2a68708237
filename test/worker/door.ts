import { env, exports } from "cloudflare:workers";
import { vi } from "vitest";
import { definitions } from "../../definitions/index.ts";
import { readConfig } from "../../src/config.ts";
import { contextFrom, type Ctx } from "../../src/context.ts";
import { compileDeployment } from "../../src/deployment.ts";
import { applyDefinitions } from "../../src/features/apply-definitions.ts";
import { signApiKey } from "../../src/governance/api-key.ts";
import { newId } from "../../src/ids.ts";
import { beginFill } from "../../src/ingest/fill.ts";
import { createLogger } from "../../src/log.ts";

export const deployment = compileDeployment(definitions);
export const config = readConfig(env);

/** The Worker's own context, past its door. */
export function context(): Ctx {
  const logger = createLogger(() => undefined);
  return contextFrom({
    env,
    deployment,
    now: () => Date.now(),
    afterwards: () => undefined,
    logger,
  });
}

export const keyOf = (tenant: string, roles: readonly string[] = ["admin"]): Promise<string> =>
  signApiKey(config.signingSecrets[0] ?? "", { v: 1, tenant, kid: newId("key", 0), roles });

export interface Sent {
  readonly key?: string;
  readonly json?: unknown;
  readonly body?: BodyInit;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request through the Worker's own door. */
export async function call(
  route: string,
  { key, json, body, headers = {} }: Sent = {},
): Promise<Response> {
  const [method = "GET", path = "/"] = route.split(" ");
  const authorization = key === undefined ? {} : { authorization: `Bearer ${key}` };
  return exports.default.fetch(`https://api.example${path}`, {
    method,
    headers: { "content-type": "application/json", ...authorization, ...headers },
    body: json === undefined ? (body ?? null) : JSON.stringify(json),
  });
}

/** The round trips that an answer says it cost. */
export const trips = (answer: Response): Record<string, number> =>
  Object.fromEntries(
    [...(answer.headers.get("server-timing") ?? "").matchAll(/(\w+);dur=[\d.]+;desc="(\d+)"/g)].map(
      ([, name = "", count]) => [name, Number(count)],
    ),
  );

/** Applies the definitions' views, as `npm run apply` does. */
export async function applyViews(): Promise<void> {
  const { archive, online, definitions: store, now } = context();
  const progress = (): void => undefined;
  const stores = { archive, online, definitions: store };
  const { registry } = deployment;
  await applyDefinitions({
    registry,
    ...stores,
    now,
    progress,
    fold: async () => undefined,
    foldWaiting: async () => undefined,
  });
}

/** A tenant whose online store is filled. */
export async function newTenant(name = `t${crypto.randomUUID().slice(0, 8)}`): Promise<string> {
  await context().archive.nextMeta(name);
  await beginFill(context(), name);
  await vi.waitUntil(async () => (await context().online.read(name, [])).meta !== null, 30_000);
  return name;
}

export const payment = (changes: Readonly<Record<string, unknown>> = {}) => ({
  payment_id: "p1",
  customer_id: "c1",
  merchant_id: "m1",
  amount: "12.50",
  country: "DE",
  email: "ada@example.com",
  paid_at: new Date().toISOString(),
  ...changes,
});
