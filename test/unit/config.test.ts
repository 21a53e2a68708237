import { describe, expect, it } from "vitest";
import { ConfigError, readConfig } from "../../src/config.ts";

const env = {
  ENVIRONMENT: "production",
  ON_INCOMPLETE_STORE: "degraded",
  SKEW_SAMPLE: "0.25",
  DATABASE_URL: "postgresql://user:hunter2@host/database",
  UPSTASH_REDIS_REST_URL: "https://name.upstash.io",
  UPSTASH_REDIS_REST_TOKEN: "hunter3",
  KEY_SIGNING_SECRET: "a-new-secret-of-at-least-32-bytes, the-old-secret-of-at-least-32-bytes",
  ENCRYPTION_SECRET: "an-encryption-secret-of-32-bytes!",
  PAYMENTS_WEBHOOK_SECRET: "acme:whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
};

function problem(changes: Readonly<Record<string, unknown>>): string {
  try {
    readConfig({ ...env, ...changes });
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  throw new Error("it was accepted");
}

describe("readConfig", () => {
  it("reads every variable and secret", () => {
    expect(readConfig(env)).toMatchObject({
      environment: "production",
      onIncompleteStore: "degraded",
      skewSample: 0.25,
      neonFetchEndpoint: undefined,
      signingSecrets: ["a-new-secret-of-at-least-32-bytes", "the-old-secret-of-at-least-32-bytes"],
    });
    expect(readConfig(env).webhookSecrets("PAYMENTS_WEBHOOK_SECRET")).toMatchObject([
      { tenant: "acme" },
    ]);
  });

  it("waits less for Redis where Postgres answers in its place", () => {
    const { redisReadMs } = readConfig(env).deadlines;
    const { onIncompleteStore, deadlines } = readConfig({
      ...env,
      ON_INCOMPLETE_STORE: "postgres",
    });
    expect(onIncompleteStore).toBe("postgres");
    expect(deadlines.redisReadMs).toBeLessThan(redisReadMs);
  });

  it("reads an environment once", () => {
    expect(readConfig(env)).toBe(readConfig(env));
    expect(readConfig({ ...env })).not.toBe(readConfig(env));
  });

  it.each([
    "ENVIRONMENT",
    "DATABASE_URL",
    "UPSTASH_REDIS_REST_URL",
    "UPSTASH_REDIS_REST_TOKEN",
    "KEY_SIGNING_SECRET",
    "ENCRYPTION_SECRET",
  ])("says that %s is not set, and how to set it", (name) => {
    const message = problem({ [name]: undefined });
    expect(message).toContain(`${name} is not set`);
    expect(message).toContain(`wrangler secret put ${name}`);
  });

  it.each([
    ["ENVIRONMENT", "prod"],
    ["ON_INCOMPLETE_STORE", "whatever"],
    ["SKEW_SAMPLE", "1.5"],
    ["SKEW_SAMPLE", "hunter2"],
    ["DATABASE_URL", "mysql://user:hunter2@host/database"],
    ["UPSTASH_REDIS_REST_URL", "name.upstash.io"],
    ["UPSTASH_REDIS_REST_TOKEN", ""],
    ["KEY_SIGNING_SECRET", "hunter2"],
    ["ENCRYPTION_SECRET", "hunter2"],
    ["NEON_FETCH_ENDPOINT", "http://127.0.0.1:5488/sql"],
  ])("says what is wrong with %s, and not what it holds", (name, value) => {
    const message = problem({ [name]: value });
    expect(message).toContain(`${name} is wrong`);
    expect(message).not.toContain("hunter");
  });

  it("logs a hundredth of the answers where nothing is said, and none where that is said", () => {
    expect(readConfig({ ...env, SKEW_SAMPLE: undefined }).skewSample).toBe(0.01);
    expect(readConfig({ ...env, SKEW_SAMPLE: "0" }).skewSample).toBe(0);
    expect(readConfig({ ...env, SKEW_SAMPLE: "1" }).skewSample).toBe(1);
  });

  it("takes a local endpoint for SQL in local runs alone", () => {
    const local = { ...env, ENVIRONMENT: "local", NEON_FETCH_ENDPOINT: "http://127.0.0.1:1/sql" };
    expect(readConfig(local).neonFetchEndpoint).toBe("http://127.0.0.1:1/sql");
  });

  it("looks at a webhook's secret when a source asks for it", () => {
    const config = readConfig({ ...env, PAYMENTS_WEBHOOK_SECRET: "whsec_hunter2" });
    expect(() => config.webhookSecrets("PAYMENTS_WEBHOOK_SECRET")).toThrow(/entry 1 of 1/);
    expect(() => config.webhookSecrets("PAYMENTS_WEBHOOK_SECRET")).not.toThrow(/hunter/);
    expect(() => config.webhookSecrets("OTHER_WEBHOOK_SECRET")).toThrow(
      /OTHER_WEBHOOK_SECRET is not set/,
    );
  });

  it("looks at an embedder's variable and secret when a collection asks for them", () => {
    const access = (changes: Readonly<Record<string, unknown>>) =>
      readConfig({ ...env, ...changes }).embedderAccess("EMBEDDER_URL", "EMBEDDER_KEY");
    const set = { EMBEDDER_URL: "https://api.example.com/v1", EMBEDDER_KEY: "sk-1" };
    expect(access(set)).toEqual({ baseUrl: "https://api.example.com/v1", apiKey: "sk-1" });
    expect(() => access({ ...set, EMBEDDER_URL: undefined })).toThrow(/EMBEDDER_URL is not set/);
    expect(() => access({ ...set, EMBEDDER_URL: "api.example" })).toThrow(/EMBEDDER_URL is wrong/);
    expect(() => access({ ...set, EMBEDDER_KEY: undefined })).toThrow(/EMBEDDER_KEY is not set/);
    expect(() => access({ ...set, EMBEDDER_KEY: "hunter2\n" })).toThrow(/EMBEDDER_KEY is wrong/);
    expect(() => access({ ...set, EMBEDDER_KEY: "hunter2\n" })).not.toThrow(/hunter/);
  });
});
