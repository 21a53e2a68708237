import { z } from "zod";
import { isLongEnough, MIN_SECRET_BYTES, parseKeySecrets } from "./governance/key-secrets.ts";
import { parseWebhookSecrets, type WebhookSecret } from "./ingest/signatures/webhook-secrets.ts";

/** How long each kind of request to a store may take, in milliseconds. */
export interface Deadlines {
  /** A caller waits for it. */
  readonly redisReadMs: number;
  readonly redisWriteMs: number;
  readonly postgresMs: number;
  /** A read that Postgres answers in place of Redis: a caller waits for it. */
  readonly postgresReadMs: number;
  /** One request, of a search or of documents. */
  readonly embedderMs: number;
}

export interface Config {
  readonly environment: "local" | "staging" | "production";
  /** The share of online answers that is logged for the skew audit, 0 to 1. */
  readonly skewSample: number;
  /**
   * What a read answers while the online store is being filled: 503, what is there, or what
   * Postgres has. The last holds for a Redis that does not answer, too.
   */
  readonly onIncompleteStore: "unavailable" | "degraded" | "postgres";
  readonly databaseUrl: string;
  /** Where SQL goes instead of to Neon; on one machine only. */
  readonly neonFetchEndpoint: string | undefined;
  readonly redisUrl: string;
  readonly redisToken: string;
  /** Current one first. */
  readonly signingSecrets: readonly string[];
  readonly encryptionSecret: string;
  readonly deadlines: Deadlines;
  /** The secrets of a source's webhooks, by the variable's name that the source gives. */
  webhookSecrets(name: string): readonly WebhookSecret[];
  /** How to reach a collection's embedder, by the names that the collection gives. */
  embedderAccess(
    baseUrlVariable: string,
    apiKeySecret: string,
  ): { readonly baseUrl: string; readonly apiKey: string };
}

/** A variable or secret that is missing or wrong; says how to set it, never what it holds. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

const DEADLINES: Deadlines = {
  redisReadMs: 2_000,
  redisWriteMs: 10_000,
  postgresMs: 20_000,
  postgresReadMs: 5_000,
  embedderMs: 10_000,
};

/** Where Postgres answers in its place, Redis is given what a cold connection takes. */
const REDIS_READ_MS_BEFORE_POSTGRES = 1_000;

const url = (schemes: RegExp, example: string) =>
  z.url({ protocol: schemes, error: `expected a URL like ${example}` });

const variables = z.object({
  ENVIRONMENT: z.enum(["local", "staging", "production"]),
  SKEW_SAMPLE: z.coerce.number().min(0).max(1).default(0.01),
  ON_INCOMPLETE_STORE: z.enum(["unavailable", "degraded", "postgres"]).default("unavailable"),
  DATABASE_URL: url(/^postgres(ql)?$/, "postgresql://user:password@host/database"),
  NEON_FETCH_ENDPOINT: url(/^https?$/, "http://127.0.0.1:5488/sql").optional(),
  UPSTASH_REDIS_REST_URL: url(/^https?$/, "https://name.upstash.io"),
  UPSTASH_REDIS_REST_TOKEN: z.string().min(1),
  KEY_SIGNING_SECRET: z.string().min(1),
  ENCRYPTION_SECRET: z.string().refine(isLongEnough, {
    error: `expected at least ${MIN_SECRET_BYTES} bytes, as of: openssl rand -base64 32`,
  }),
});

const known = new WeakMap<object, Config>();

/**
 * The configuration of a Worker's environment: the only reader of variables and secrets. Throws a
 * ConfigError that says which one is missing or wrong and how to set it. Read once per `env`.
 */
export function readConfig(env: object): Config {
  const config = known.get(env) ?? parseConfig(env);
  known.set(env, config);
  return config;
}

function parseConfig(env: object): Config {
  const parsed = variables.safeParse(env);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw wrong(String(issue?.path[0]), env, issue?.message ?? "is wrong");
  }
  const vars = parsed.data;
  const signing = parseKeySecrets(vars.KEY_SIGNING_SECRET);
  if (!signing.ok) throw wrong("KEY_SIGNING_SECRET", env, signing.error);
  if (vars.NEON_FETCH_ENDPOINT !== undefined && vars.ENVIRONMENT !== "local") {
    throw wrong("NEON_FETCH_ENDPOINT", env, "is for local runs only: remove it");
  }
  const webhooks = new Map<string, readonly WebhookSecret[]>();
  const redisReadMs =
    vars.ON_INCOMPLETE_STORE === "postgres" ? REDIS_READ_MS_BEFORE_POSTGRES : DEADLINES.redisReadMs;
  return {
    environment: vars.ENVIRONMENT,
    onIncompleteStore: vars.ON_INCOMPLETE_STORE,
    skewSample: vars.SKEW_SAMPLE,
    databaseUrl: vars.DATABASE_URL,
    neonFetchEndpoint: vars.NEON_FETCH_ENDPOINT,
    redisUrl: vars.UPSTASH_REDIS_REST_URL,
    redisToken: vars.UPSTASH_REDIS_REST_TOKEN,
    signingSecrets: signing.value,
    encryptionSecret: vars.ENCRYPTION_SECRET,
    deadlines: { ...DEADLINES, redisReadMs },
    webhookSecrets(name) {
      const secrets = webhooks.get(name) ?? readWebhookSecrets(env, name);
      webhooks.set(name, secrets);
      return secrets;
    },
    embedderAccess: (baseUrlVariable, apiKeySecret) => ({
      baseUrl: readAs(embedderUrl, env, baseUrlVariable),
      apiKey: readAs(embedderKey, env, apiKeySecret),
    }),
  };
}

const embedderUrl = url(/^https?$/, "https://api.openai.com/v1");
// Printable ASCII: what else a header cannot hold would end in an error that shows the key.
const embedderKey = z.string().regex(/^[!-~]+$/, { error: "expected a key without spaces" });

function readAs(schema: z.ZodType<string>, env: object, name: string): string {
  const parsed = schema.safeParse(Reflect.get(env, name));
  if (parsed.success) return parsed.data;
  throw wrong(name, env, parsed.error.issues[0]?.message ?? "is wrong");
}

function readWebhookSecrets(env: object, name: string): readonly WebhookSecret[] {
  const text: unknown = Reflect.get(env, name);
  const parsed = typeof text === "string" ? parseWebhookSecrets(text) : undefined;
  if (parsed?.ok === true) return parsed.value;
  throw wrong(name, env, parsed?.error ?? "expected entries like acme:whsec_…");
}

function wrong(name: string, env: object, problem: string): ConfigError {
  const what = Reflect.get(env, name) === undefined ? "is not set" : `is wrong: ${problem}`;
  return new ConfigError(
    `${name} ${what}. Locally it is in .dev.vars (npm start makes its own); deployed, set it with ` +
      `"npx wrangler secret put ${name} --env production", or under [env.production.vars]`,
  );
}
