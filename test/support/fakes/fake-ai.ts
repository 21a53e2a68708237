import type { TextEmbeddings } from "../../../src/platform/workers-ai/embedder.ts";
import { fakeVectors, VENDOR_WORD, type EmbeddingFault } from "./fake-vector.ts";

export interface FakeAi extends TextEmbeddings {
  /** The texts of each call, and what else came with them. */
  readonly calls: { readonly texts: readonly string[]; readonly input: Record<string, unknown> }[];
  /** What goes wrong at the next calls, one each. */
  readonly faults: EmbeddingFault[];
  /** Units that a call may have in all its texts. */
  maxTotal: number;
}

/** The error of the binding: numbers are in the message alone. */
function inferenceError(message: string): Error {
  const error = new Error(`${message} (${VENDOR_WORD})`);
  error.name = "InferenceUpstreamError";
  return error;
}

/** Workers AI as its schemas and its list of errors have it: of each model, the texts it takes. */
const MODELS: Readonly<Record<string, { readonly members: string[]; readonly most: number }>> = {
  "@cf/baai/bge-m3": { members: ["text"], most: 100 },
  "@cf/baai/bge-small-en-v1.5": { members: ["text"], most: 100 },
  "@cf/google/embeddinggemma-300m": { members: ["text"], most: Number.POSITIVE_INFINITY },
  "@cf/qwen/qwen3-embedding-0.6b": { members: ["queries", "documents", "text"], most: 32 },
};

/** The binding `AI` with its embedding models. */
export function createFakeAi(dimensions: number): FakeAi {
  const fake: FakeAi = {
    calls: [],
    faults: [],
    maxTotal: Number.POSITIVE_INFINITY,
    async run(model, input, { signal }) {
      const schema = MODELS[model];
      if (schema === undefined) throw inferenceError(`5007: No such model ${model} or task`);
      const member = schema.members.find((name) => name in input) ?? "";
      const texts = input[member] as readonly string[];
      fake.calls.push({ texts, input });
      const fault = fake.faults.shift();
      if (fault === "down") throw new Error(`internal error; ${VENDOR_WORD}`);
      if (fault === "busy") throw inferenceError("3040: Capacity temporarily exceeded");
      if (fault === "no_vectors") return { request_id: VENDOR_WORD };
      if (fault === "never_answers") {
        await new Promise((_, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason as Error));
        });
      }
      if (texts.length > schema.most || texts.some((text) => text.length === 0)) {
        throw inferenceError("5006: Error: oneOf at '/' not met");
      }
      if (texts.join("").length > fake.maxTotal) throw inferenceError("3006: Request is too large");
      const data = fakeVectors(texts, dimensions, fault);
      return { shape: [data.length, data[0]?.length ?? 0], data };
    },
  };
  return fake;
}
