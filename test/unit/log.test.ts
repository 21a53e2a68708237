import { describe, expect, it } from "vitest";
import { AppError } from "../../src/errors.ts";
import { createLogger, describeError } from "../../src/log.ts";

describe("createLogger", () => {
  it("writes one line of JSON for each call", () => {
    const lines: [string, string][] = [];
    const logger = createLogger((level, line) => lines.push([level, line]));
    logger.info("batch consumed", { messages: 3, text: "two\nlines" });
    logger.warn("odd");
    expect(lines).toEqual([
      ["info", '{"level":"info","message":"batch consumed","messages":3,"text":"two\\nlines"}'],
      ["warn", '{"level":"warn","message":"odd"}'],
    ]);
  });

  it("describes errors among the facts", () => {
    let written = "";
    createLogger((_, line) => (written = line)).error("failed", {
      error: new AppError("timeout", "took too long", { cause: new Error("Redis: TimeoutError") }),
    });
    expect(JSON.parse(written)).toMatchObject({
      error: { name: "AppError", code: "timeout", message: "took too long" },
    });
  });
});

describe("describeError", () => {
  it("leaves out everything but names, messages and places", () => {
    const error = Object.assign(new Error("failed"), { params: ["hunter2"], query: "SELECT 1" });
    const text = JSON.stringify(describeError(error));
    expect(text).toContain("log.test.ts");
    expect(text).not.toMatch(/hunter2|SELECT/);
  });

  it("does not repeat a text that could not be parsed", () => {
    let thrown: unknown;
    try {
      JSON.parse("grace.hopper@example.com");
    } catch (error) {
      thrown = error;
    }
    expect(JSON.stringify(describeError(thrown))).not.toContain("grace");
  });

  it("says no more of what is no error than what it is, and does not follow causes for ever", () => {
    expect(describeError("hunter2")).toBe("string");
    const loop = new Error("loop");
    loop.cause = loop;
    expect(JSON.stringify(describeError(loop)).length).toBeLessThan(10_000);
  });
});
