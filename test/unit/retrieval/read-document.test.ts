import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileCollection } from "../../../src/retrieval/collection-plan.ts";
import { clientVectors, collection, lexicalHashing } from "../../../src/retrieval/define.ts";
import { MAX_TEXT, readDocument } from "../../../src/retrieval/read-document.ts";

const options = {
  embedder: lexicalHashing({ dimensions: 3 }),
  text: ["title", "summary", "body"],
  fields: {
    product: "string",
    price: "number",
    sold: "boolean",
    published_at: "time",
    tags: "string[]",
  },
} as const;
const plan = compileCollection(collection("helpdesk", options));
const whole = compileCollection(collection("whole", { ...options, chunk: "none" }));
const client = compileCollection(
  collection("client", { embedder: clientVectors({ dimensions: 2 }), text: ["body"] }),
);

function read(input: unknown, of = plan) {
  const document = readDocument(of, input);
  return document.ok ? document.value : document.error.map(({ path, code }) => `${path} ${code}`);
}

const detailsOf = (input: unknown, of = plan): string => {
  const document = readDocument(of, input);
  return document.ok ? "" : document.error.map(({ detail }) => detail).join("\n");
};

describe("readDocument", () => {
  it("reads text, fields and expiry, and writes them in the collection's order", () => {
    const document = {
      tags: ["sale", "new"],
      published_at: "2026-01-01T09:00:00+09:00",
      sold: false,
      body: "The text.",
      summary: "Short.",
      expires_at: "2027-01-01T00:00:00Z",
      price: -0,
      title: "A cup",
      product: "cup",
    };
    const fields = {
      product: "cup",
      price: 0,
      sold: false,
      published_at: 1_767_225_600_000,
      tags: ["sale", "new"],
    };
    const expiresAt = 1_798_761_600_000;
    const texts = { title: "A cup", summary: "Short.", body: "The text." };
    const expected = {
      title: "A cup",
      text: "Short.\n\nThe text.",
      body: JSON.stringify({ ...texts, ...fields, expires_at: expiresAt }),
      fields,
      expiresAt,
      vector: null,
    };
    expect(read(document)).toEqual(expected);
    expect(read(JSON.parse(expected.body))).toEqual(expected);
  });

  it("takes null as absence, and the title as the text where there is no other", () => {
    const absent = { body: null, price: null, tags: null, expires_at: null, vector: null };
    expect(read({ title: "A cup", summary: " ", ...absent })).toEqual({
      title: "A cup",
      text: "A cup",
      body: '{"title":"A cup","summary":" "}',
      fields: {},
      expiresAt: null,
      vector: null,
    });
    expect(read({ title: "\n", body: "Text" })).toMatchObject({ title: null, text: "Text" });
    expect(read({ body: "Text", vector: [3, 4] }, client)).toMatchObject({
      title: null,
      text: "Text",
    });
  });

  it("wants some text", () => {
    for (const blank of [{}, { title: " ", body: "" }, { price: 1, title: null }]) {
      expect(read(blank)).toEqual(["title required"]);
      expect(detailsOf(blank)).toBe("expected text in at least one of title, summary, body");
    }
    expect(read({ title: 5 })).toEqual(["title wrong_type"]);
    for (const input of [null, [], "text", 5]) expect(read(input)).toEqual([" wrong_type"]);
  });

  it("names every member that is wrong", () => {
    const wrong = {
      body: "a\0b",
      title: "\ud800",
      product: 1,
      price: "5",
      sold: "yes",
      published_at: "2026-01-01",
      tags: ["a", 2],
      expires_at: true,
      colour: "red",
    };
    expect(read(wrong)).toEqual([
      "colour unknown_field",
      "title invalid_text",
      "body invalid_text",
      "product wrong_type",
      "price wrong_type",
      "sold wrong_type",
      "published_at invalid_time",
      "tags[1] wrong_type",
      "expires_at wrong_type",
    ]);
    expect(detailsOf({ body: "b", colour: 1 })).toBe(
      'a document of "helpdesk" has title, summary, body, product, price, sold, published_at, ' +
        "tags, expires_at, vector",
    );
    const proto: unknown = JSON.parse('{"body":"b","__proto__":{"price":1}}');
    expect(read(proto)).toEqual(["__proto__ unknown_field"]);
  });

  it("has bounds", () => {
    const list = (n: number, length = 1) => Array.from({ length: n }, () => "x".repeat(length));
    const within = { product: "x".repeat(1_024), tags: list(100, 512) };
    expect(read({ body: "b", ...within })).toMatchObject({ fields: within });
    expect(read({ body: "b", product: "x".repeat(1_025) })).toEqual(["product too_long"]);
    expect(read({ body: "b", tags: list(101) })).toEqual(["tags too_many"]);
    expect(read({ body: "b", tags: ["a", "x".repeat(513)] })).toEqual(["tags[1] too_long"]);
    const half = "x".repeat(MAX_TEXT / 2);
    expect(read({ title: half, body: half })).toMatchObject({ title: half });
    expect(read({ title: half, body: `${half}x` })).toEqual(["title too_long"]);
    expect(read({ body: "b", price: Number.POSITIVE_INFINITY })).toEqual(["price wrong_type"]);
    const many = Object.fromEntries(list(5_000).map((_, i) => [`x${i}`, 1]));
    expect(read({ body: "b", ...many })).toHaveLength(100);
  });

  it("takes a vector for a whole document, and wants it where clients give it", () => {
    const text = { body: "Text" };
    expect(read({ ...text, vector: [0, 3, -4] }, whole)).toMatchObject({
      vector: [0, 0.6, -0.8],
      body: '{"body":"Text"}',
    });
    expect(read(text, whole)).toMatchObject({ vector: null });
    expect(read({ ...text, vector: [1, 2, 3] })).toEqual(["vector not_allowed"]);
    expect(read({ ...text, vector: [0, 2] }, client)).toMatchObject({ vector: [0, 1] });
    expect(read(text, client)).toEqual(["vector required"]);
    expect(read({ ...text, vector: [1, 2, 3] }, client)).toEqual(["vector wrong_dimensions"]);
    expect(read({ ...text, vector: [1, "2"] }, client)).toEqual(["vector[1] wrong_type"]);
    expect(read({ ...text, vector: [0, 0] }, client)).toEqual(["vector zero_vector"]);
  });

  it("reads what it wrote as the same document", () => {
    const text = fc.string({ unit: "grapheme", maxLength: 20 });
    const document = fc.record(
      {
        title: text,
        body: text.map((t) => `x${t}`),
        product: text,
        price: fc.double({ noNaN: true, noDefaultInfinity: true }),
        sold: fc.boolean(),
        published_at: fc.date({ noInvalidDate: true }).map((date) => date.getTime() % 1e13),
        tags: fc.array(text, { maxLength: 5 }),
      },
      { requiredKeys: ["body"] },
    );
    fc.assert(
      fc.property(document, (input) => {
        const first = readDocument(plan, input);
        const again = first.ok ? readDocument(plan, JSON.parse(first.value.body)) : null;
        expect(first.ok || input).toBe(true);
        expect(again).toEqual(first);
      }),
    );
  });
});
