import type { Embedder } from "../../retrieval/embedder.ts";
import { createEmbedder, type Answer } from "../embedding/create-embedder.ts";
import { textModel } from "./text-models.ts";

/** What is used of the binding. */
export interface TextEmbeddings {
  run(
    model: string,
    input: Record<string, unknown>,
    options: { signal: AbortSignal },
  ): Promise<unknown>;
}

interface Model {
  readonly model: string;
  readonly dimensions: number;
}

export interface WorkersAiOptions extends Model {
  /** Undefined where the Worker has no such binding, which every call then says. */
  readonly ai: TextEmbeddings | undefined;
  readonly timeoutMs: number;
  /** Called before each request. */
  readonly onRoundTrip?: () => void;
}

/** Pure. Names the vectors of a model: `workers-ai/@cf/baai/bge-m3/1024`. */
export const workersAiIdentity = ({ model, dimensions }: Model): string =>
  `workers-ai/${model}/${dimensions}${textModel(model).variant}`;

/**
 * UTF-16 units in all texts of a request, which hardly ever are fewer than its tokens. bge-m3 takes
 * 60,000 tokens at a time; what another model finds too much is halved.
 */
const MAX_TOTAL_LENGTH = 50_000;

/** An embedder on a model of Workers AI. */
export function createWorkersAiEmbedder(options: WorkersAiOptions): Embedder {
  const { ai, model, dimensions, timeoutMs, onRoundTrip } = options;
  const { maxTexts, maxTextLength, input } = textModel(model);
  return createEmbedder({
    name: workersAiIdentity(options),
    dimensions,
    maxTexts,
    maxTotalLength: MAX_TOTAL_LENGTH,
    maxTextLength,
    timeoutMs,
    async ask(texts, purpose, signal) {
      if (ai === undefined) return failed("there is no binding AI in this environment");
      onRoundTrip?.();
      try {
        return readAnswer(await ai.run(model, input(texts, purpose), { signal }));
      } catch (error) {
        return readError(error);
      }
    },
  });
}

const failed = (reason: string, againInMs: number | null = null): Answer => ({
  kind: "failed",
  reason,
  againInMs,
});

function readAnswer(answer: unknown): Answer {
  const data: unknown =
    typeof answer === "object" && answer !== null && Reflect.get(answer, "data");
  return Array.isArray(data)
    ? { kind: "vectors", vectors: data }
    : failed("it gave an answer without vectors");
}

/** Where a request that found no room goes another way. */
const AGAIN_MS = 250;
/** Out of capacity. */
const TRANSIENT = "3040";
/** Request too large; input unlike the schema, as with too many texts; context window exceeded. */
const TOO_MUCH = ["3006", "5006", "5021"];

/**
 * Pure. The binding knows errors by a number in the message alone, as in `3040: Capacity …`; one
 * without a number is the network's or the platform's and may be gone at the next try.
 */
function readError(error: unknown): Answer {
  const name = error instanceof Error ? error.name : typeof error;
  const code = error instanceof Error ? /\b(\d{4}):/.exec(error.message)?.[1] : undefined;
  if (code === undefined) return failed(name, AGAIN_MS);
  if (TOO_MUCH.includes(code)) return { kind: "too_much", reason: code };
  return failed(code, code === TRANSIENT ? AGAIN_MS : null);
}
