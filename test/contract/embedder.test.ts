import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { AppError } from "../../src/errors.ts";
import { createOpenAiEmbedder, openAiIdentity } from "../../src/platform/openai/embedder.ts";
import {
  createWorkersAiEmbedder,
  workersAiIdentity,
} from "../../src/platform/workers-ai/embedder.ts";
import type { Embedder } from "../../src/retrieval/embedder.ts";
import { createHashingEmbedder } from "../../src/retrieval/hashing-embedder.ts";
import {
  API_KEY,
  startEmbeddingsServer,
  type EmbeddingsServer,
} from "../support/embeddings-server.ts";
import { createFakeAi, type FakeAi } from "../support/fakes/fake-ai.ts";
import { VENDOR_WORD, type EmbeddingFault } from "../support/fakes/fake-vector.ts";

const DIMENSIONS = 64;
const BGE_M3 = "@cf/baai/bge-m3";
const BGE_SMALL = "@cf/baai/bge-small-en-v1.5";
const QWEN3 = "@cf/qwen/qwen3-embedding-0.6b";
const GEMMA = "@cf/google/embeddinggemma-300m";

let ai: FakeAi;
let server: EmbeddingsServer;
let trips = 0;

beforeAll(async () => {
  server = await startEmbeddingsServer(DIMENSIONS);
});
afterAll(() => server.close());
beforeEach(() => {
  ai = createFakeAi(DIMENSIONS);
  trips = 0;
  server.calls.length = 0;
  server.faults.length = 0;
  Object.assign(server, { retryAfter: "0", maxTexts: Infinity, maxLength: Infinity });
});

const common = (timeoutMs: number) => ({
  dimensions: DIMENSIONS,
  timeoutMs,
  onRoundTrip: () => void (trips += 1),
});
const workersAi = (model = BGE_M3, timeoutMs = 5_000): Embedder =>
  createWorkersAiEmbedder({ ai, model, ...common(timeoutMs) });
const openAi = (model = "some-model", timeoutMs = 5_000): Embedder =>
  createOpenAiEmbedder({ baseUrl: server.baseUrl, apiKey: API_KEY, model, ...common(timeoutMs) });
const hashing = (): Embedder => {
  const { embedder } = createHashingEmbedder(DIMENSIONS);
  if (embedder === null) throw new Error("it embeds nothing");
  return embedder;
};

const texts = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `article ${i} about the refund of a payment`);

const lengthOf = (vector: readonly number[] | null | undefined): number =>
  Math.hypot(...(vector ?? [Number.NaN]));

/** Everything that a log could show of an error. */
function everything(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return `${error.name} ${error.message} ${error.stack} ${everything(error.cause)}`;
}

async function refusalOf(work: Promise<unknown>): Promise<AppError> {
  const error: unknown = await work.then(
    () => new Error("it did not fail"),
    (reason: unknown) => reason,
  );
  expect(everything(error)).not.toContain(VENDOR_WORD);
  expect(everything(error)).not.toContain(API_KEY);
  expect(error).toBeInstanceOf(AppError);
  return error as AppError;
}

const causeOf = ({ cause }: AppError): string => (cause instanceof Error ? cause.message : "none");

describe.each([
  ["Workers AI", () => workersAi()],
  ["an OpenAI-compatible server", () => openAi()],
  ["hashing", hashing],
])("an embedder: %s", (_, embedder) => {
  it("gives a unit vector for each text, in their order, the same for the same text", async () => {
    const asked = texts(250);
    const vectors = await embedder().embed(asked, "document");
    expect(vectors).toHaveLength(250);
    for (const vector of vectors) {
      expect(vector).toHaveLength(DIMENSIONS);
      expect(lengthOf(vector)).toBeCloseTo(1, 9);
    }
    expect(new Set(vectors.map((vector) => JSON.stringify(vector))).size).toBeGreaterThan(200);
    const [alone] = await embedder().embed(asked.slice(177, 178), "document");
    expect(alone).toEqual(vectors[177]);
  });

  it("gives null for blank texts among others", async () => {
    const [filled, ...blank] = await embedder().embed(
      ["refund", "", " \n\t", "\u3000"],
      "document",
    );
    expect(lengthOf(filled)).toBeCloseTo(1, 9);
    expect(blank).toEqual([null, null, null]);
  });

  it("embeds queries into the same dimensions", async () => {
    const [query] = await embedder().embed(["返金はいつですか"], "query");
    expect(query).toHaveLength(DIMENSIONS);
    expect(lengthOf(query)).toBeCloseTo(1, 9);
  });

  it("takes long texts, and characters that are half there", async () => {
    const vectors = await embedder().embed(["refund ".repeat(30_000), "half \uD83D"], "document");
    for (const vector of vectors) expect(lengthOf(vector)).toBeCloseTo(1, 9);
  });

  it("gives nothing for nothing", async () => {
    expect(await embedder().embed([], "query")).toEqual([]);
    expect(trips).toBe(0);
  });
});

describe.each([
  ["Workers AI", workersAi, () => ai.faults, [1, 1, 2, 3]],
  ["an OpenAI-compatible server", openAi, () => server.faults, [1, 1, 1, 1]],
] as const)("a remote embedder: %s", (_, embedder, faults, requests) => {
  it("sends as few requests as the server takes", async () => {
    for (const [i, count] of [1, 100, 101, 250].entries()) {
      trips = 0;
      await embedder().embed(texts(count), "document");
      expect(trips).toBe(requests[i]);
    }
  });

  it("sends one request for a text, and none for blank ones", async () => {
    await embedder().embed([" "], "query");
    expect(trips).toBe(0);
    await embedder().embed([" refund "], "query");
    expect(trips).toBe(1);
  });

  it.each<[EmbeddingFault, string]>([
    ["one_vector_short", "vectors for 3 texts"],
    ["vectors_too_short", "63 dimensions, not 64"],
    ["vectors_too_long", "65 dimensions, not 64"],
    ["no_number", "no finite number"],
    ["no_vectors", "it gave an answer"],
  ])("refuses an answer that is wrong: %s", async (fault, reason) => {
    faults().push(fault);
    const error = await refusalOf(embedder().embed(texts(3), "document"));
    expect(error).toMatchObject({ code: "dependency_unavailable" });
    expect(error.message).toBe("The embedder does not answer.");
    expect(causeOf(error)).toContain(reason);
    expect(trips).toBe(1);
  });

  it.each<EmbeddingFault>(["busy", "down"])("tries once more after %s", async (fault) => {
    faults().push(fault);
    const [vector] = await embedder().embed(["refund"], "query");
    expect(lengthOf(vector)).toBeCloseTo(1, 9);
    expect(trips).toBe(2);
  });

  it.each<EmbeddingFault>(["busy", "down"])("gives up after %s twice", async (fault) => {
    faults().push(fault, fault);
    const error = await refusalOf(embedder().embed(["refund"], "query"));
    expect(error.code).toBe("dependency_unavailable");
    expect(trips).toBe(2);
  });

  it("says timeout when there is no answer in time, the second try included", async () => {
    faults().push("never_answers", "never_answers");
    const started = performance.now();
    const error = await refusalOf(embedder(undefined, 100).embed(["refund"], "query"));
    expect(error).toMatchObject({ code: "timeout", message: "The embedder took too long." });
    expect(performance.now() - started).toBeLessThan(10_000);
    expect(trips).toBe(1);
  });
});

describe("the embedder of Workers AI", () => {
  it("names model, dimensions and, where there are two, the pooling", () => {
    const identity = (model: string, dimensions: number) =>
      workersAiIdentity({ model, dimensions });
    expect(identity(BGE_M3, 1024)).toBe("workers-ai/@cf/baai/bge-m3/1024");
    expect(identity(BGE_SMALL, 384)).toBe("workers-ai/@cf/baai/bge-small-en-v1.5/384/cls");
  });

  it("asks each model in its own way", async () => {
    const asked = async (model: string, purpose: "query" | "document") => {
      await workersAi(model).embed(["refund"], purpose);
      return ai.calls.at(-1)?.input;
    };
    expect(await asked(BGE_M3, "query")).toEqual({ text: ["refund"], truncate_inputs: true });
    expect(await asked(BGE_M3, "document")).toEqual({ text: ["refund"], truncate_inputs: true });
    expect(await asked(BGE_SMALL, "query")).toEqual({
      text: ["Represent this sentence for searching relevant passages: refund"],
      pooling: "cls",
    });
    expect(await asked(BGE_SMALL, "document")).toEqual({ text: ["refund"], pooling: "cls" });
    expect(await asked(QWEN3, "query")).toEqual({ queries: ["refund"] });
    expect(await asked(QWEN3, "document")).toEqual({ documents: ["refund"] });
    expect(await asked(GEMMA, "query")).toEqual({ text: ["task: search result | query: refund"] });
    expect(await asked(GEMMA, "document")).toEqual({ text: ["title: none | text: refund"] });
  });

  it("sends fewer texts at a time where the model takes fewer", async () => {
    await workersAi(QWEN3).embed(texts(70), "document");
    expect(ai.calls.map((call) => call.texts.length)).toEqual([32, 32, 6]);
  });

  it("sends fewer texts at a time where they are long", async () => {
    await workersAi().embed(
      texts(5).map((text) => text.padEnd(20_000, ".")),
      "document",
    );
    expect(ai.calls.map((call) => call.texts.length)).toEqual([2, 2, 1]);
  });

  it("halves what is too large, down to a part of a text", async () => {
    ai.maxTotal = 600;
    const vectors = await workersAi().embed([...texts(20), "x".repeat(2_000)], "document");
    for (const vector of vectors) expect(lengthOf(vector)).toBeCloseTo(1, 9);
    const served = ai.calls.filter((call) => call.texts.join("").length <= 600);
    expect(served.flatMap((call) => call.texts)).toEqual([...texts(20), "x".repeat(500)]);
  });

  it("does not try again what never helps, and says which error it was", async () => {
    const error = await refusalOf(workersAi("@cf/none").embed(["refund"], "query"));
    expect(error.code).toBe("dependency_unavailable");
    expect(causeOf(error)).toBe("workers-ai/@cf/none/64: 5007");
    expect(trips).toBe(1);
  });

  it("says that the binding is missing", async () => {
    const embedder = createWorkersAiEmbedder({ ai: undefined, model: BGE_M3, ...common(1_000) });
    const error = await refusalOf(embedder.embed(["refund"], "query"));
    expect(causeOf(error)).toContain("no binding AI");
  });
});

describe("the embedder of OpenAI-compatible servers", () => {
  it("names model and dimensions", () => {
    const identity = openAiIdentity({ model: "text-embedding-3-small", dimensions: 1536 });
    expect(identity).toBe("openai/text-embedding-3-small/1536");
  });

  it("asks for dimensions only where the model can shorten its vectors", async () => {
    await openAi("text-embedding-3-small").embed(["refund"], "query");
    await openAi("BAAI/bge-m3").embed(["refund"], "query");
    expect(server.calls.map(({ dimensions }) => dimensions)).toEqual([DIMENSIONS, undefined]);
  });

  it("puts before texts what the makers of the model tell", async () => {
    await openAi("nomic-embed-text").embed(["refund"], "query");
    await openAi("intfloat/multilingual-e5-large").embed(["refund"], "document");
    await openAi("intfloat/multilingual-e5-large-instruct").embed(["refund"], "document");
    const sent = server.calls.flatMap(({ input }) => input);
    expect(sent).toEqual(["search_query: refund", "passage: refund", "refund"]);
  });

  it("sends at most 256 texts at a time, fewer of many dimensions", async () => {
    await openAi().embed(texts(257), "document");
    expect(server.calls.map(({ input }) => input.length)).toEqual([256, 1]);
    const large = { ...common(5_000), dimensions: 3_072, model: "m", apiKey: API_KEY };
    const embedder = createOpenAiEmbedder({ ...large, baseUrl: server.baseUrl });
    await refusalOf(embedder.embed(texts(100), "document"));
    expect(server.calls.at(-1)?.input).toHaveLength(85);
  });

  it("sends fewer texts where the server takes fewer", async () => {
    server.maxTexts = 32;
    const vectors = await openAi().embed(texts(100), "document");
    expect(vectors.every((vector) => vector !== null)).toBe(true);
    const served = server.calls.filter(({ input }) => input.length <= 32);
    expect(served.flatMap(({ input }) => input)).toEqual(texts(100));
  });

  it("cuts a text that the model does not read to its end", async () => {
    server.maxLength = 8_000;
    const [vector] = await openAi().embed(["refund ".repeat(3_000)], "document");
    expect(lengthOf(vector)).toBeCloseTo(1, 9);
    expect(server.calls.at(-1)?.input[0]?.length).toBeGreaterThan(4_000);
  });

  it("tells a caller to come back when the server wants more than a second", async () => {
    server.retryAfter = "30";
    server.faults.push("busy");
    const error = await refusalOf(openAi().embed(["refund"], "query"));
    expect(error).toMatchObject({ code: "dependency_unavailable", retryAfterSeconds: 30 });
    expect(trips).toBe(1);
  });

  it("says of what nobody can repair by trying what it was", async () => {
    const access = { baseUrl: server.baseUrl, apiKey: "sk-wrong" };
    const refused = createOpenAiEmbedder({ ...access, model: "m", ...common(5_000) });
    const wrongKey = await refusalOf(refused.embed(["refund"], "query"));
    expect(causeOf(wrongKey)).toBe("openai/m/64: 401, it refuses the API key");
    const unknown = await refusalOf(openAi("unknown").embed(["refund"], "query"));
    expect(causeOf(unknown)).toContain("404, it knows no such model");
    expect(trips).toBe(2);
  });

  it("says that nobody is there", async () => {
    const access = { baseUrl: "http://127.0.0.1:9/v1/", apiKey: API_KEY };
    const embedder = createOpenAiEmbedder({ ...access, model: "m", ...common(5_000) });
    const error = await refusalOf(embedder.embed(["refund"], "query"));
    expect(error.code).toBe("dependency_unavailable");
    expect(trips).toBe(2);
  });
});
