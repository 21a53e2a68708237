import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeBase64, decodeBase64Url, encodeBase64, encodeBase64Url } from "../../src/base64.ts";
import { NodeBuffer } from "../support/node-buffer.ts";

describe("base64", () => {
  it("writes what Node writes, and reads it back", () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(encodeBase64(bytes)).toBe(NodeBuffer.from(bytes).toString("base64"));
        expect(encodeBase64Url(bytes)).toBe(NodeBuffer.from(bytes).toString("base64url"));
        expect(decodeBase64(encodeBase64(bytes))).toEqual(bytes);
        expect(decodeBase64Url(encodeBase64Url(bytes))).toEqual(bytes);
      }),
    );
  });

  it("reads no text but the one it writes", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const plain = decodeBase64(text);
        const url = decodeBase64Url(text);
        expect(plain === null || encodeBase64(plain) === text).toBe(true);
        expect(url === null || encodeBase64Url(url) === text).toBe(true);
      }),
    );
  });

  it.each(["AA", "AB==", "A A=", "AA==\n", "A", "_-8=", "AAAA====", "é"])(
    "refuses %j as base64",
    (text) => expect(decodeBase64(text)).toBeNull(),
  );

  it.each(["AA==", "AB", "A A", "AA\n", "A", "+/8", "é"])("refuses %j as base64url", (text) =>
    expect(decodeBase64Url(text)).toBeNull(),
  );
});
