import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { randomSecret } from "./random-secret.ts";

/** What the local Worker's secrets are, by their names, and the façades' passwords. */
export type Secrets = Readonly<Record<string, string>>;

/** The tenant that local webhook secrets belong to, which is the example's. */
const TENANT = "demo";

/** Made by the stack at every start, since they name its own façades. */
const NOT_KEPT = new Set(["DATABASE_URL", "UPSTASH_REDIS_REST_URL"]);

function make(name: string): string {
  if (!name.endsWith("_WEBHOOK_SECRET")) return randomSecret();
  return `${TENANT}:whsec_${randomBytes(32).toString("base64")}`;
}

/**
 * The secrets in `path`, with one made up for every name that it lacks. The file is kept, readable
 * by its owner alone, so that keys made yesterday work today.
 */
export function keepSecrets(path: string, names: readonly string[]): Secrets {
  const kept = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Secrets) : {};
  const missing = names.filter((name) => kept[name] === undefined && !NOT_KEPT.has(name));
  if (missing.length === 0) return kept;
  const secrets = { ...kept, ...Object.fromEntries(missing.map((name) => [name, make(name)])) };
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  return secrets;
}
