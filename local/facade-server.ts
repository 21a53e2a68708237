import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { NodeBuffer } from "./node-buffer.ts";

/**
 * What a test can do to a request: `drop` closes the connection before anything is done, `lose`
 * does the work and closes it instead of answering, `error` answers 503, a delay delays.
 */
export type Fault = "drop" | "lose" | "error" | { readonly delayMs: number } | null;

export interface FacadeRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface FacadeResponse {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface FacadeOptions {
  /** 0 or absent: any free port. */
  readonly port?: number;
  /** Added to every request, as if the store were that far away. */
  readonly delayMs?: number;
  readonly fault?: (request: FacadeRequest) => Fault;
}

export interface FacadeServer {
  readonly url: string;
  /** How many requests have arrived since the start. */
  requests(): number;
  /** How many requests are being answered now. */
  active(): number;
  /** Stops listening, lets what is being answered finish for two seconds, then cuts it off. */
  close(): Promise<void>;
}

const MAX_BODY_BYTES = 64 * 1024 * 1024;
const CLOSE_GRACE_MS = 2_000;

/** The request's body as text, or null when it is too long. */
async function readBody(request: IncomingMessage): Promise<string | null> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length <= MAX_BODY_BYTES) pieces.push(piece);
  }
  return length <= MAX_BODY_BYTES ? NodeBuffer.concat(pieces).toString() : null;
}

/** Serves `answer` over HTTP on 127.0.0.1 with connections that are kept open. */
export async function startFacadeServer(
  options: FacadeOptions,
  answer: (request: FacadeRequest) => Promise<FacadeResponse>,
): Promise<FacadeServer> {
  let requests = 0;
  let active = 0;

  /** The response, or null for a connection that is to be closed without one. */
  async function respond(incoming: IncomingMessage): Promise<FacadeResponse | null> {
    const body = await readBody(incoming);
    if (body === null) return { status: 413, body: '{"error":"The request is too large."}' };
    const { method = "GET", url = "/", headers } = incoming;
    const request = { method, path: url, headers, body };
    const fault = options.fault?.(request) ?? null;
    const delayMs =
      (options.delayMs ?? 0) + (typeof fault === "object" ? (fault?.delayMs ?? 0) : 0);
    if (delayMs > 0) await sleep(delayMs);
    if (fault === "drop") return null;
    if (fault === "error") return { status: 503, body: '{"error":"An injected fault."}' };
    const response = await answer(request);
    return fault === "lose" ? null : response;
  }

  async function serve(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const response = await respond(incoming).catch(() => null);
    if (response === null) return void outgoing.destroy();
    const { status, body, headers } = response;
    outgoing.writeHead(status, {
      "content-type": "application/json",
      "content-length": NodeBuffer.byteLength(body),
      ...headers,
    });
    outgoing.end(body);
  }

  const server = createServer((incoming, outgoing) => {
    requests++;
    active++;
    outgoing.once("close", () => active--);
    void serve(incoming, outgoing);
  });
  // A client that reuses a connection just as it times out would see its request fail.
  server.keepAliveTimeout = 0;
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    requests: () => requests,
    active: () => active,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeIdleConnections();
      const cutOff = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
      await closed;
      clearTimeout(cutOff);
    },
  };
}
