import { describe, expect, it } from "vitest";
import { compileCollection, indexIdOf } from "../../../src/retrieval/collection-plan.ts";
import {
  clientVectors,
  collection,
  lexicalHashing,
  openAi,
  workersAi,
  type Collection,
} from "../../../src/retrieval/define.ts";

const embedder = lexicalHashing({ dimensions: 64 });
const base = { embedder, text: ["title", "body"] } as const;
const compile = (options: Partial<Collection>) =>
  compileCollection({ ...collection("help", base), ...options });

describe("a collection", () => {
  it("has its first text field as title, unless it is the only one", () => {
    expect(compile({})).toMatchObject({ titleField: "title", textFields: ["body"] });
    expect(compile({ text: ["body"] })).toMatchObject({ titleField: null, textFields: ["body"] });
  });

  it("splits documents and finds out their language by default, and not those with vectors", () => {
    expect(compile({})).toMatchObject({ chunk: { tokens: 256 }, language: "auto" });
    const given = collection("c", { embedder: clientVectors({ dimensions: 2 }), text: ["body"] });
    expect(given.chunk).toBe("none");
  });

  it("takes the dimensions of a model of Workers AI from its name", () => {
    expect(workersAi("@cf/baai/bge-m3")).toMatchObject({ dimensions: 1024 });
    expect(workersAi("@cf/baai/bge-small-en-v1.5")).toMatchObject({ dimensions: 384 });
  });

  it.each([
    [{ name: "Help!" }, /Help!/],
    [{ text: [] }, /at least one text field/],
    [{ text: ["body", "body"] }, /each of its fields once/],
    [{ fields: { title: "string" } }, /each of its fields once/],
    [{ fields: { vector: "string" } }, /"vector"/],
    [{ fields: { and: "string" } }, /"and"/],
    [{ text: ["expires_at"] }, /"expires_at"/],
    [{ fields: { "a b": "string" } }, /"a b"/],
    [{ fields: JSON.parse('{"__proto__":"string"}') as Collection["fields"] }, /"__proto__"/],
    [{ fields: { constructor: "string" } }, /"constructor"/],
    [{ embedder: lexicalHashing({ dimensions: 0 }) }, /1 to 4000 dimensions, not 0/],
    [{ embedder: lexicalHashing({ dimensions: 4001 }) }, /not 4001/],
    [{ embedder: lexicalHashing({ dimensions: 1.5 }) }, /not 1.5/],
    [{ chunk: { tokens: 15 } }, /16 to 2,000 tokens, not 15/],
    [{ chunk: { tokens: 2001 } }, /not 2001/],
    [{ embedder: clientVectors({ dimensions: 2 }), chunk: { tokens: 64 } }, /chunk: "none"/],
  ] as const)("is refused with %j, and says what to change", (options, message) => {
    expect(() => compile(options as Partial<Collection>)).toThrow(message);
  });
});

describe("the name of an index", () => {
  const idOf = (options: Partial<Collection>, identity = "a/1") =>
    indexIdOf(compile(options), { identity });

  it("is the collection's with a hash", () => {
    expect(idOf({})).toMatch(/^help@[0-9a-f]{16}$/);
  });

  it("changes with whatever changes what the index holds, and with nothing else", () => {
    const others: readonly string[] = [
      idOf({ text: ["body", "title"] }),
      idOf({ language: "english" }),
      idOf({ chunk: "none" }),
      idOf({ chunk: { tokens: 128 } }),
      idOf({ fields: { topic: "string" } }),
      idOf({ fields: { topic: "number" } }),
      idOf({}, "a/2"),
    ];
    expect(new Set([idOf({}), ...others]).size).toBe(8);
    const openai = { model: "m", dimensions: 64, baseUrl: "URL", apiKey: "KEY" };
    expect(idOf({ owner: "o", description: "d", embedder: openAi(openai) })).toBe(idOf({}));
  });
});
