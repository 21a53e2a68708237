import { AppError } from "../../errors.ts";
import type { Embedder, Embedding, Purpose } from "../../retrieval/embedder.ts";
import { checkVectors } from "./check-vectors.ts";

/** How a request for vectors ended. Reasons are for the log, in our words. */
export type Answer =
  | { readonly kind: "vectors"; readonly vectors: readonly unknown[] }
  /** Fewer or shorter texts may do. */
  | { readonly kind: "too_much"; readonly reason: string }
  /** `againInMs`: when it may go better; null: never. */
  | { readonly kind: "failed"; readonly reason: string; readonly againInMs: number | null };

export interface EmbeddingServer {
  /** For the log. */
  readonly name: string;
  readonly dimensions: number;
  /** What one request takes, and what the model reads of a text; lengths in UTF-16 units. */
  readonly maxTexts: number;
  readonly maxTotalLength: number;
  readonly maxTextLength: number;
  /** Deadline of a request together with its second try. */
  readonly timeoutMs: number;
  /** Sends one request; whatever fails, it does not throw. */
  ask(texts: readonly string[], purpose: Purpose, signal: AbortSignal): Promise<Answer>;
}

/** Waits longer than this are the caller's. */
const MAX_WAIT_MS = 1_000;
/** A text that is refused although it is this short is refused for something else. */
const SHORT = 256;

/**
 * An embedder on a server that takes so many texts at a time. Blank texts are not sent. What a
 * server finds too much is halved: first the texts of a request, then a text.
 */
export function createEmbedder(server: EmbeddingServer): Embedder {
  return {
    async embed(texts, purpose) {
      const embeddings: Embedding[] = texts.map(() => null);
      for (const batch of planBatches(texts, server)) {
        const sent = batch.map(({ text }) => text);
        const vectors = await embedBatch(server, sent, purpose);
        for (const [i, { position }] of batch.entries()) embeddings[position] = vectors[i] ?? null;
      }
      return embeddings;
    },
  };
}

interface Placed {
  readonly position: number;
  readonly text: string;
}

function planBatches(texts: readonly string[], limits: EmbeddingServer): readonly Placed[][] {
  const batches: Placed[][] = [];
  let room = 0;
  for (const [position, whole] of texts.entries()) {
    const text = whole.trim().slice(0, limits.maxTextLength).toWellFormed();
    if (text === "") continue;
    const last = batches.at(-1);
    if (last === undefined || last.length === limits.maxTexts || text.length > room) {
      batches.push([{ position, text }]);
      room = limits.maxTotalLength - text.length;
    } else {
      last.push({ position, text });
      room -= text.length;
    }
  }
  return batches;
}

async function embedBatch(
  server: EmbeddingServer,
  texts: readonly string[],
  purpose: Purpose,
): Promise<readonly Embedding[]> {
  const answer = await askTwice(server, texts, purpose);
  if (answer.kind === "vectors") {
    const checked = checkVectors(answer.vectors, texts.length, server.dimensions);
    if (!checked.ok) throw unavailable(server, checked.error);
    return checked.value;
  }
  const [first = ""] = texts;
  if (texts.length === 1) {
    if (first.length <= SHORT) throw unavailable(server, answer.reason);
    const shorter = first.slice(0, Math.ceil(first.length / 2)).toWellFormed();
    return await embedBatch(server, [shorter], purpose);
  }
  const half = Math.ceil(texts.length / 2);
  return [
    ...(await embedBatch(server, texts.slice(0, half), purpose)),
    ...(await embedBatch(server, texts.slice(half), purpose)),
  ];
}

async function askTwice(server: EmbeddingServer, texts: readonly string[], purpose: Purpose) {
  const signal = AbortSignal.timeout(server.timeoutMs);
  let answer = await server.ask(texts, purpose, signal);
  const waitMs = answer.kind === "failed" && !signal.aborted ? answer.againInMs : null;
  if (waitMs !== null && waitMs <= MAX_WAIT_MS) {
    await new Promise((resolve) => {
      setTimeout(resolve, waitMs);
    });
    if (!signal.aborted) answer = await server.ask(texts, purpose, signal);
  }
  if (answer.kind !== "failed") return answer;
  if (signal.aborted) {
    const cause = new Error(`${server.name}: ${answer.reason}`);
    throw new AppError("timeout", "The embedder took too long.", { cause });
  }
  throw unavailable(server, answer.reason, answer.againInMs);
}

function unavailable({ name }: EmbeddingServer, reason: string, againInMs: number | null = null) {
  return new AppError("dependency_unavailable", "The embedder does not answer.", {
    cause: new Error(`${name}: ${reason}`),
    ...(againInMs !== null && { retryAfterSeconds: Math.ceil(againInMs / 1_000) }),
  });
}
