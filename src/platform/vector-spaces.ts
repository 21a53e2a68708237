import type { EmbedderSpec } from "../retrieval/define.ts";
import type { Embedder, VectorSpace } from "../retrieval/embedder.ts";
import { createHashingEmbedder } from "../retrieval/hashing-embedder.ts";
import { createOpenAiEmbedder, openAiIdentity, type EmbedderAccess } from "./openai/embedder.ts";
import {
  createWorkersAiEmbedder,
  workersAiIdentity,
  type TextEmbeddings,
} from "./workers-ai/embedder.ts";

export interface VectorSpaceOptions {
  /** On one machine no model is within reach: words and their parts are hashed in its place. */
  readonly local: boolean;
  /** The binding of Workers AI; there is none on one machine. */
  readonly ai: TextEmbeddings | undefined;
  /** By the names of the variable and the secret that hold them. */
  readonly access: (baseUrl: string, apiKey: string) => EmbedderAccess;
  readonly timeoutMs: number;
  readonly onRoundTrip: () => void;
  readonly timed: (embedder: Embedder) => Embedder;
}

/** Pure. Names the space in which a collection's vectors lie. */
export function spaceIdentity(spec: EmbedderSpec, local: boolean): string {
  if (spec.kind === "client") return `client/${spec.dimensions}`;
  if (spec.kind === "lexical_hashing" || local)
    return createHashingEmbedder(spec.dimensions).identity;
  return spec.kind === "openai" ? openAiIdentity(spec) : workersAiIdentity(spec);
}

/** The vector space of each collection, in the environment at hand. */
export function createVectorSpaces(options: VectorSpaceOptions) {
  const { local, ai, access, timed, ...rest } = options;
  return (spec: EmbedderSpec): VectorSpace => {
    const { dimensions } = spec;
    const identity = spaceIdentity(spec, local);
    if (spec.kind === "client") return { identity, dimensions, embedder: null };
    if (spec.kind === "lexical_hashing" || local) return createHashingEmbedder(dimensions);
    const { model } = spec;
    const embedder =
      spec.kind === "openai"
        ? atLast(() =>
            createOpenAiEmbedder({
              ...access(spec.baseUrl, spec.apiKey),
              model,
              dimensions,
              ...rest,
            }),
          )
        : createWorkersAiEmbedder({ ai, model, dimensions, ...rest });
    return { identity, dimensions, embedder: timed(embedder) };
  };
}

/** Made when it is first used: a key that is missing harms only what has to embed. */
const atLast = (make: () => Embedder): Embedder => ({
  embed: async (texts, purpose) => make().embed(texts, purpose),
});
