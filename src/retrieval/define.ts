/** How words are found in text; see `analyse`. */
export type Language = "auto" | "english" | "cjk" | "simple";

/** What a filter field of a document holds. */
export type FilterKind = "string" | "number" | "boolean" | "time" | "string[]";

/** Where a collection's vectors come from. `dimensions` is the length of each. */
export type EmbedderSpec =
  | { readonly kind: "workers_ai"; readonly model: string; readonly dimensions: number }
  | {
      readonly kind: "openai";
      readonly model: string;
      readonly dimensions: number;
      /** Names of the variable and the secret that hold them. */
      readonly baseUrl: string;
      readonly apiKey: string;
    }
  | { readonly kind: "client"; readonly dimensions: number }
  | { readonly kind: "lexical_hashing"; readonly dimensions: number };

/** Documents as one chunk each, or split into chunks of at most so many estimated tokens. */
export type Chunking = "none" | { readonly tokens: number };

/** Documents that are searched together. */
export interface Collection<N extends string = string> {
  readonly kind: "collection";
  readonly name: N;
  readonly embedder: EmbedderSpec;
  /** Text fields; of several, the first is the title, with which every chunk is searched. */
  readonly text: readonly string[];
  readonly language: Language;
  readonly chunk: Chunking;
  readonly fields: Readonly<Record<string, FilterKind>>;
  readonly owner: string;
  readonly description: string;
}

/** Dimensions of the text embedding models of Workers AI. */
const WORKERS_AI = {
  "@cf/baai/bge-m3": 1024,
  "@cf/baai/bge-small-en-v1.5": 384,
  "@cf/baai/bge-base-en-v1.5": 768,
  "@cf/baai/bge-large-en-v1.5": 1024,
  "@cf/google/embeddinggemma-300m": 768,
  "@cf/qwen/qwen3-embedding-0.6b": 1024,
} as const;

/** Embeds with a model of Workers AI; on one machine `lexicalHashing` takes its place. */
export const workersAi = (model: keyof typeof WORKERS_AI): EmbedderSpec => ({
  kind: "workers_ai",
  model,
  dimensions: WORKERS_AI[model],
});

/**
 * Embeds with a server that speaks OpenAI's embeddings API; `baseUrl` and `apiKey` are the names of
 * the variable and the secret that hold them. On one machine `lexicalHashing` takes its place.
 */
export const openAi = (options: {
  readonly model: string;
  readonly dimensions: number;
  readonly baseUrl: string;
  readonly apiKey: string;
}): EmbedderSpec => ({ kind: "openai", ...options });

/** Clients give the vector of each document and of each query. */
export const clientVectors = (options: { readonly dimensions: number }): EmbedderSpec => ({
  kind: "client",
  ...options,
});

/**
 * Hashes words and parts of words into a vector: no model and no meaning, only shared letters. It
 * finds misspelt and inflected words.
 */
export const lexicalHashing = (options: { readonly dimensions: number }): EmbedderSpec => ({
  kind: "lexical_hashing",
  ...options,
});

/** Declares a collection: what its documents hold, and how they are split, analysed and embedded. */
export function collection<const N extends string>(
  name: N,
  options: {
    readonly embedder: EmbedderSpec;
    readonly text: readonly [string, ...string[]];
    readonly language?: Language;
    readonly chunk?: Chunking;
    readonly fields?: Readonly<Record<string, FilterKind>>;
    readonly owner?: string;
    readonly description?: string;
  },
): Collection<N> {
  const { language = "auto", fields = {}, owner = "", description = "" } = options;
  const chunk = options.chunk ?? (options.embedder.kind === "client" ? "none" : { tokens: 256 });
  return { kind: "collection", name, ...options, language, chunk, fields, owner, description };
}
