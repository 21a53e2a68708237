import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { z } from "zod";
import { fakeVectors, VENDOR_WORD, type EmbeddingFault } from "./fakes/fake-vector.ts";

const request = z.strictObject({
  model: z.string(),
  input: z.array(z.string().min(1)),
  encoding_format: z.literal("float"),
  dimensions: z.int().optional(),
});

export interface EmbeddingsServer {
  readonly baseUrl: string;
  readonly calls: z.infer<typeof request>[];
  /** What goes wrong at the next requests, one each. */
  readonly faults: EmbeddingFault[];
  /** Sent with 429. */
  retryAfter: string;
  /** Texts in a request; more are refused, as by Text Embeddings Inference. */
  maxTexts: number;
  /** Units in a text; more are refused, as by OpenAI. */
  maxLength: number;
  close(): Promise<void>;
}

export const API_KEY = "sk-nobody-is-to-read-this";

/** A server on this machine that speaks OpenAI's embeddings API, with answers in any order. */
export async function startEmbeddingsServer(dimensions: number): Promise<EmbeddingsServer> {
  const http = createServer((incoming, response) => {
    let body = "";
    incoming.setEncoding("utf8");
    incoming.on("data", (chunk: string) => void (body += chunk));
    incoming.on("end", () => {
      if (incoming.url !== "/v1/embeddings") return refuse(response, 404);
      if (incoming.headers.authorization !== `Bearer ${API_KEY}`) return refuse(response, 401);
      const parsed = request.safeParse(JSON.parse(body));
      if (!parsed.success) return refuse(response, 400);
      answer(parsed.data, response);
    });
  });
  const answer = (call: z.infer<typeof request>, response: ServerResponse): void => {
    server.calls.push(call);
    const fault = server.faults.shift();
    const { model, input } = call;
    if (fault === "never_answers") return;
    if (fault === "down") return refuse(response, 500);
    if (fault === "busy") {
      response.setHeader("retry-after", server.retryAfter);
      return refuse(response, 429);
    }
    if (fault === "no_vectors") return void response.end(`<html>${VENDOR_WORD}</html>`);
    if (model === "unknown") return refuse(response, 404);
    if (call.dimensions !== undefined && !model.startsWith("text-embedding-3")) {
      return refuse(response, 400);
    }
    if (input.length > server.maxTexts) return refuse(response, 413);
    if (input.some((text) => text.length > server.maxLength)) return refuse(response, 400);
    const data = fakeVectors(input, dimensions, fault).map((embedding, index) => ({
      object: "embedding",
      index,
      embedding,
    }));
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ object: "list", model, data: data.toReversed() }));
  };
  await new Promise<void>((resolve) => {
    http.listen(0, "127.0.0.1", resolve);
  });
  const server: EmbeddingsServer = {
    baseUrl: `http://127.0.0.1:${(http.address() as AddressInfo).port}/v1`,
    calls: [],
    faults: [],
    retryAfter: "0",
    maxTexts: Number.POSITIVE_INFINITY,
    maxLength: Number.POSITIVE_INFINITY,
    async close() {
      http.closeAllConnections();
      await new Promise((resolve) => {
        http.close(resolve);
      });
    },
  };
  return server;
}

function refuse(response: ServerResponse, status: number): void {
  response.statusCode = status;
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ error: { message: `${VENDOR_WORD}: ${API_KEY}`, code: null } }));
}
