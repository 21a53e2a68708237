import type { Purpose } from "../../retrieval/embedder.ts";

type Prompts = Readonly<Record<Purpose, string>>;

/**
 * What makers tell to put before texts, from the cards of their models. It decides where vectors
 * lie: an index built with another prompt has to be built anew.
 */
const PROMPTS: readonly (readonly [RegExp, Prompts])[] = [
  [
    /bge-(small|base|large)-en/,
    { document: "", query: "Represent this sentence for searching relevant passages: " },
  ],
  [/embeddinggemma/, { document: "title: none | text: ", query: "task: search result | query: " }],
  [
    /qwen3-embedding/,
    {
      document: "",
      query:
        "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:",
    },
  ],
  [/nomic-embed-text/, { document: "search_document: ", query: "search_query: " }],
  [/e5-(small|base|large)(?!.*instruct)/, { document: "passage: ", query: "query: " }],
];

/** Pure. The words that a model wants before a text, found by its name; most want none. */
export function promptOf(model: string, purpose: Purpose): string {
  const name = model.toLowerCase();
  return PROMPTS.find(([pattern]) => pattern.test(name))?.[1][purpose] ?? "";
}
