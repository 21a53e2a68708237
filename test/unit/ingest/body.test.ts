import { describe, expect, it } from "vitest";
import { AppError } from "../../../src/errors.ts";
import { MAX_RECORDS, readRecords } from "../../../src/ingest/body.ts";
import { numberText } from "../../../src/ingest/exact-json.ts";

const read = (contentType: string, body: string | Uint8Array) =>
  readRecords(contentType, typeof body === "string" ? new TextEncoder().encode(body) : body);

const values = (contentType: string, body: string | Uint8Array): readonly unknown[] =>
  read(contentType, body).map((one) => (one.ok ? one.value : one.error));

function refusal(contentType: string, body: string | Uint8Array): string {
  try {
    read(contentType, body);
  } catch (error) {
    if (error instanceof AppError) return `${error.code}: ${error.message}`;
  }
  return "not refused";
}

describe("a body of events", () => {
  it("is one object, an array, or a line for each", () => {
    expect(values("application/json", '{"a":1}')).toEqual([{ a: 1 }]);
    expect(values("application/json", '[{"a":1},{"a":2}]')).toEqual([{ a: 1 }, { a: 2 }]);
    expect(values("application/json", "[]")).toEqual([]);
    for (const type of ["application/x-ndjson", "application/ndjson", "application/jsonl"]) {
      expect(values(type, '{"a":1}\r\n\n  {"a":2}\n')).toEqual([{ a: 1 }, { a: 2 }]);
    }
    expect(values("application/x-ndjson", "")).toEqual([]);
  });

  it("has its form from the content type, however that is written", () => {
    for (const type of [
      "application/json; charset=utf-8",
      "Application/JSON",
      "application/cloudevents+json",
      "application/vnd.api+json;v=1",
    ]) {
      expect(values(type, "{}")).toEqual([{}]);
    }
    for (const type of ["", "text/plain", "application/jsonx", "text/json-lines", "json"]) {
      expect(refusal(type, "{}")).toMatch(/^unsupported_media_type/);
    }
  });

  it("may begin with a byte order mark", () => {
    expect(values("application/json", "\uFEFF{}")).toEqual([{}]);
    expect(values("application/x-ndjson", "\uFEFF{}\n{}")).toEqual([{}, {}]);
  });

  it("keeps each record's text, its numbers as they came", () => {
    const [first, second] = read("application/json", '[{"a":1.50}, {"b":9007199254740993}]');
    expect([first?.text, second?.text]).toEqual(['{"a":1.50}', '{"b":9007199254740993}']);
    const [line] = read("application/x-ndjson", '  {"a": 1.50} \n');
    expect(line?.text).toBe('{"a": 1.50}');
    expect(line?.ok === true && numberText((line.value as { a: unknown }).a)).toBe("1.50");
  });

  it("harms no other line with one that is no JSON", () => {
    const lines = read("application/x-ndjson", '{"a":1}\nada@example.com\n{"a":2}');
    expect(lines.map(({ ok }) => ok)).toEqual([true, false, true]);
    expect(lines[1]).toEqual({ ok: false, error: "not JSON", text: "ada@example.com" });
  });

  it("is refused where it is no JSON at all, saying where and quoting nothing", () => {
    expect(refusal("application/json", '{"a" 1}')).toBe(
      "invalid_request: the body is not JSON at position 5",
    );
    expect(refusal("application/json", "ada@example.com")).toBe(
      "invalid_request: the body is not JSON",
    );
    expect(refusal("application/json", "[".repeat(10_000))).toMatch(/nested deeper than 64/);
  });

  it("is refused where it is no UTF-8", () => {
    for (const bytes of [[0xff], [0xc0, 0xa0], [0x22, 0xed, 0xa0, 0x80, 0x22], [0xe6, 0xbc]]) {
      expect(refusal("application/json", Uint8Array.from(bytes))).toBe(
        "invalid_request: the body is not valid UTF-8",
      );
    }
  });

  it("holds a thousand events and no more", () => {
    const bodies = (count: number) => Array.from({ length: count }, () => "{}");
    expect(values("application/json", `[${bodies(MAX_RECORDS).join()}]`)).toHaveLength(1_000);
    expect(refusal("application/json", `[${bodies(1_001).join()}]`)).toMatch(/payload_too_large/);
    expect(refusal("application/x-ndjson", bodies(1_001).join("\n"))).toMatch(/payload_too_large/);
  });
});
