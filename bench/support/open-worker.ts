import { randomBytes } from "node:crypto";
import { buildWorker, type BuiltWorker } from "../../local/build-worker.ts";
import { DEMO_TENANT, developmentKeys } from "../../local/demo/keys.ts";
import { runWorker } from "../../local/run-worker.ts";
import { ENCRYPTION_SECRET } from "./engine.ts";
import type { Stores } from "./stores.ts";

/** Freshet's Worker in workerd before a benchmark's stores. */
export interface BenchWorker {
  readonly url: string;
  /** Of a key that may do everything in `tenant`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly tenant: string;
  close(): Promise<void>;
}

/** Runs the project's Worker, or the one given; fails with what it wrote where it does not start. */
export async function openWorker(stores: Stores, built?: BuiltWorker): Promise<BenchWorker> {
  const signingSecret = randomBytes(32).toString("hex");
  const running = await runWorker({
    built: built ?? (await buildWorker()),
    port: 0,
    bindings: {
      DATABASE_URL: stores.connectionString,
      NEON_FETCH_ENDPOINT: stores.sqlUrl,
      UPSTASH_REDIS_REST_URL: stores.redisUrl,
      UPSTASH_REDIS_REST_TOKEN: stores.redisToken,
      KEY_SIGNING_SECRET: signingSecret,
      ENCRYPTION_SECRET,
      PAYMENTS_WEBHOOK_SECRET: `${DEMO_TENANT}:whsec_${randomBytes(32).toString("base64")}`,
    },
    onLog: (level, message) => {
      if (level === "warn" || level === "error") console.error(message);
    },
  });
  const { url } = running;
  const { secret } = await developmentKeys(signingSecret, Number(new URL(url).port));
  return {
    url,
    headers: { authorization: `Bearer ${secret}` },
    tenant: DEMO_TENANT,
    close: () => running.close(),
  };
}
