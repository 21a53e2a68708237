import { z } from "zod";
import type { Embedder } from "../../retrieval/embedder.ts";
import { createEmbedder, type Answer } from "../embedding/create-embedder.ts";
import { promptOf } from "../embedding/prompts.ts";

/** Where the server is, as in `https://api.openai.com/v1`, and the key that it wants. */
export interface EmbedderAccess {
  readonly baseUrl: string;
  readonly apiKey: string;
}

interface Model {
  readonly model: string;
  readonly dimensions: number;
}

export interface OpenAiOptions extends EmbedderAccess, Model {
  readonly timeoutMs: number;
  readonly fetch?: typeof fetch;
  /** Called before each request. */
  readonly onRoundTrip?: () => void;
}

/** Pure. Names the vectors of a model: `openai/text-embedding-3-small/1536`. */
export const openAiIdentity = ({ model, dimensions }: Model): string =>
  `openai/${model}/${dimensions}`;

const MAX_TEXTS = 256;
/** Numbers in an answer: some 6 MB of JSON. */
const MAX_NUMBERS = 262_144;
/** OpenAI takes 300,000 tokens, of which a text seldom has more than units. */
const MAX_TOTAL_LENGTH = 200_000;
/** Text Embeddings Inference refuses 32,000 characters even where it is to cut them. */
const MAX_TEXT_LENGTH = 30_000;

/** Other servers refuse the member, or for models that cannot shorten their vectors. */
const TAKES_DIMENSIONS = /(^|\/)text-embedding-3/;

/**
 * An embedder on a server that speaks OpenAI's embeddings API: OpenAI, vLLM, Ollama, Text
 * Embeddings Inference and others. No error holds the key or anything that the server said.
 */
export function createOpenAiEmbedder(options: OpenAiOptions): Embedder {
  const { baseUrl, apiKey, model, dimensions, timeoutMs, onRoundTrip } = options;
  // A fetch that is called as a method of something else throws in the Worker.
  const send = options.fetch ?? ((...args: Parameters<typeof fetch>) => fetch(...args));
  const url = `${baseUrl.replace(/\/+$/, "")}/embeddings`;
  const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
  return createEmbedder({
    name: openAiIdentity(options),
    dimensions,
    maxTexts: Math.max(1, Math.min(MAX_TEXTS, Math.floor(MAX_NUMBERS / dimensions))),
    maxTotalLength: MAX_TOTAL_LENGTH,
    maxTextLength: MAX_TEXT_LENGTH,
    timeoutMs,
    async ask(texts, purpose, signal) {
      const prompt = promptOf(model, purpose);
      const body = JSON.stringify({
        model,
        input: texts.map((text) => prompt + text),
        encoding_format: "float",
        ...(TAKES_DIMENSIONS.test(model) && { dimensions }),
      });
      onRoundTrip?.();
      try {
        const response = await send(url, { method: "POST", headers, body, signal });
        if (response.ok) return readVectors(await response.text());
        await response.body?.cancel();
        return readRefusal(response);
      } catch (error) {
        return failed(error instanceof Error ? error.name : typeof error, AGAIN_MS);
      }
    },
  });
}

const failed = (reason: string, againInMs: number | null = null): Answer => ({
  kind: "failed",
  reason,
  againInMs,
});

/** When a server does not say how long it will be busy. */
const AGAIN_MS = 250;

const listed = z.object({
  data: z.array(z.object({ index: z.int().min(0), embedding: z.unknown() })),
});

/** Pure. The vectors by their `index`: their order in the answer is not promised. */
function readVectors(text: string): Answer {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return failed("it gave an answer that is no JSON");
  }
  const parsed = listed.safeParse(json);
  if (!parsed.success) return failed("it gave an answer without a list of vectors");
  const { data } = parsed.data;
  const byIndex = new Map(data.map(({ index, embedding }) => [index, embedding]));
  return { kind: "vectors", vectors: data.map((_, index) => byIndex.get(index)) };
}

const MEANING: Readonly<Record<number, string>> = {
  401: "it refuses the API key",
  403: "the API key may not use the model",
  404: "it knows no such model, or the base URL is wrong",
};

function readRefusal({ status, headers }: Response): Answer {
  const reason = MEANING[status] === undefined ? `${status}` : `${status}, ${MEANING[status]}`;
  // 400 is what OpenAI, vLLM and Ollama say of a text that is longer than the model reads.
  if (status === 400 || status === 413) return { kind: "too_much", reason };
  if (status !== 408 && status !== 429 && status < 500) return failed(reason);
  const seconds = Number(headers.get("retry-after") ?? Number.NaN);
  return failed(reason, seconds >= 0 ? seconds * 1_000 : AGAIN_MS);
}
