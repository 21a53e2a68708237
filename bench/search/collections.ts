import { definitions } from "../../definitions/index.ts";
import type { Definition } from "../../src/deployment.ts";
import { clientVectors, collection, lexicalHashing } from "../../src/retrieval/define.ts";

/** Abstracts that come with vectors, from a singular value decomposition. */
export const abstracts = collection("abstracts", {
  embedder: clientVectors({ dimensions: 256 }),
  text: ["title", "text"],
  language: "english",
});

/** Japanese paragraphs that are searched by words alone: vectors are as small as can be. */
export const jsquad = collection("jsquad", {
  embedder: lexicalHashing({ dimensions: 8 }),
  text: ["title", "text"],
  language: "cjk",
  chunk: "none",
});

/** What documents are put into to see what that costs. */
export const articles = collection("articles", {
  embedder: lexicalHashing({ dimensions: 384 }),
  text: ["title", "body"],
  language: "english",
  fields: { topic: "string" },
});

/** What the Worker of the search benchmarks serves: the example, and these. */
export const searched: readonly Definition[] = [...definitions, abstracts, jsquad, articles];
