import type { Purpose } from "../../retrieval/embedder.ts";
import { promptOf } from "../embedding/prompts.ts";

export interface TextModel {
  /** Texts in a request. */
  readonly maxTexts: number;
  /** UTF-16 units: six for each token that the model reads, more than any language needs. */
  readonly maxTextLength: number;
  /** What else tells its vectors from others of the same model; empty where nothing does. */
  readonly variant: string;
  readonly input: (texts: readonly string[], purpose: Purpose) => Record<string, unknown>;
}

/** Both poolings exist for these, and vectors of one are useless to the other; cls is better. */
const bgeEnglish = (model: string): TextModel => ({
  maxTexts: 100,
  maxTextLength: 512 * 6,
  variant: "/cls",
  input: (texts, purpose) => ({ text: prompted(model, texts, purpose), pooling: "cls" }),
});

const bgeM3: TextModel = {
  maxTexts: 100,
  maxTextLength: 8_192 * 6,
  variant: "",
  input: (texts) => ({ text: texts, truncate_inputs: true }),
};

/** It puts its instruction before queries by itself. */
const qwen3: TextModel = {
  maxTexts: 32,
  maxTextLength: 8_192 * 6,
  variant: "",
  input: (texts, purpose) => (purpose === "query" ? { queries: texts } : { documents: texts }),
};

/** Of a model without a documented limit: what all the others take. */
const other = (model: string): TextModel => ({
  maxTexts: 32,
  maxTextLength: 2_048 * 6,
  variant: "",
  input: (texts, purpose) => ({ text: prompted(model, texts, purpose) }),
});

const prompted = (model: string, texts: readonly string[], purpose: Purpose): readonly string[] =>
  texts.map((text) => promptOf(model, purpose) + text);

/**
 * Pure. What a text embedding model of Workers AI takes, as its schema has it:
 * https://developers.cloudflare.com/workers-ai/models/
 */
export function textModel(model: string): TextModel {
  if (/\/bge-(small|base|large)-en/.test(model)) return bgeEnglish(model);
  if (model.endsWith("/bge-m3")) return bgeM3;
  return model.includes("/qwen3-embedding") ? qwen3 : other(model);
}
