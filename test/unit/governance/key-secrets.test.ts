import { describe, expect, it } from "vitest";
import { parseKeySecrets } from "../../../src/governance/key-secrets.ts";

const A = "a".repeat(32);
const B = "b".repeat(40);

describe("the signing secrets", () => {
  it("are a comma-separated list, the signing one first", () => {
    expect(parseKeySecrets(A)).toEqual({ ok: true, value: [A] });
    expect(parseKeySecrets(` ${B} , ${A}\n`)).toEqual({ ok: true, value: [B, A] });
  });

  it("count in bytes", () => {
    expect(parseKeySecrets("é".repeat(16)).ok).toBe(true);
    expect(parseKeySecrets("é".repeat(15)).ok).toBe(false);
  });

  it.each(["", ",", `${A},`, `${A},short-and-secret`])("are refused in %j", (text) => {
    const parsed = parseKeySecrets(text);
    expect(parsed).toMatchObject({ ok: false });
    expect(JSON.stringify(parsed)).not.toContain("short-and-secret");
  });
});
