import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { keepSecrets } from "../../../local/secrets.ts";
import { parseKeySecrets } from "../../../src/governance/key-secrets.ts";
import { parseWebhookSecrets } from "../../../src/ingest/signatures/webhook-secrets.ts";

describe("keepSecrets", () => {
  let directory: string;
  beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), "freshet-test-"))));
  afterEach(() => rmSync(directory, { recursive: true }));
  const path = (): string => join(directory, "new", "secrets.json");

  it("makes secrets that the Worker accepts, for their owner's eyes", () => {
    const secrets = keepSecrets(path(), ["KEY_SIGNING_SECRET", "PAYMENTS_WEBHOOK_SECRET"]);
    expect(parseKeySecrets(secrets["KEY_SIGNING_SECRET"] ?? "").ok).toBe(true);
    expect(parseWebhookSecrets(secrets["PAYMENTS_WEBHOOK_SECRET"] ?? "")).toMatchObject({
      ok: true,
      value: [{ tenant: "demo" }],
    });
    expect(statSync(path()).mode & 0o777).toBe(0o600);
  });

  it("keeps what it has made and adds what is new", () => {
    const before = keepSecrets(path(), ["A"]);
    const after = keepSecrets(path(), ["A", "B"]);
    expect(after["A"]).toBe(before["A"]);
    expect(after["B"]).not.toBe(after["A"]);
    expect(JSON.parse(readFileSync(path(), "utf8"))).toEqual(after);
  });

  it("makes none for addresses, which are the running stack's", () => {
    expect(keepSecrets(path(), ["DATABASE_URL", "UPSTASH_REDIS_REST_URL", "A"])).toEqual({
      A: expect.any(String) as string,
    });
  });
});
