import { collection, workersAi } from "../src/retrieval/define.ts";

// A collection holds documents that are searched together: by their words, by their meaning, or by
// both. Each chunk of a document is found by the document's title too, which is its first text field.

export const helpdesk = collection("helpdesk", {
  description: "What customers and merchants ask, answered, in English and Japanese",
  owner: "support@example.com",
  // Deployed, a multilingual model of Workers AI tells what a text means. On one machine there is
  // no model: there, words and parts of words are hashed, which finds spellings and no meanings.
  embedder: workersAi("@cf/baai/bge-m3"),
  text: ["title", "body"],
  // English words are stemmed; Chinese, Japanese and Korean are cut into pairs of characters.
  language: "auto",
  // What searches may filter by.
  fields: { topic: "string", language: "string", updated_at: "time" },
});
