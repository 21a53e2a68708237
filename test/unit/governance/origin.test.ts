import { describe, expect, it } from "vitest";
import { isExactOrigin } from "../../../src/governance/origin.ts";

describe("an exact origin", () => {
  it.each([
    "https://shop.example",
    "https://shop.example:8443",
    "http://localhost:5173",
    "http://[::1]:3000",
    "https://xn--bcher-kva.example",
  ])("is %s", (origin) => expect(isExactOrigin(origin)).toBe(true));

  it.each([
    "",
    "*",
    "null",
    "shop.example",
    "https://",
    "https://*.shop.example/",
    "https://shop.example/",
    "https://shop.example/path",
    "https://shop.example:443",
    "https://SHOP.example",
    "https://user@shop.example",
    "https://bücher.example",
    " https://shop.example",
    "ftp://shop.example",
    "file:///etc/passwd",
    "javascript:alert(1)",
    `https://${"a".repeat(300)}.example`,
  ])("is not %j", (origin) => expect(isExactOrigin(origin)).toBe(false));
});
