import { createHash, timingSafeEqual } from "node:crypto";
import {
  startFacadeServer,
  type FacadeOptions,
  type FacadeRequest,
  type FacadeResponse,
  type FacadeServer,
} from "./facade-server.ts";
import {
  isBytes,
  RedisError,
  type RedisBackend,
  type RedisCommand,
  type RedisReply,
} from "./redis-backend.ts";

export interface RedisFacadeOptions extends FacadeOptions {
  readonly backend: RedisBackend;
  readonly token: string;
}

export interface RedisFacade extends FacadeServer {
  readonly token: string;
}

type Json = string | number | null | readonly Json[];
type Encode = (bytes: Buffer) => string;

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

function errorResponse(status: number, error: string): FacadeResponse {
  return { status, body: JSON.stringify({ error }) };
}

/** Upstash sends `OK` as it is, and nothing else: its client knows no other word by sight. */
const base64: Encode = (bytes) => {
  const encoded = bytes.toString("base64");
  return encoded === "T0s=" ? "OK" : encoded;
};

const plain: Encode = (bytes) => bytes.toString();

/** An element of an array, where `OK` is encoded like any other word. */
function asElement(reply: RedisReply, encode: Encode): Json {
  if (isBytes(reply)) return encode === base64 ? reply.toString("base64") : encode(reply);
  if (reply instanceof RedisError) return reply.message;
  if (reply === null || typeof reply === "number") return reply;
  return reply.map((element) => asElement(element, encode));
}

function asAnswer(reply: RedisReply, encode: Encode): { result: Json } | { error: string } {
  if (reply instanceof RedisError) return { error: reply.message };
  return { result: isBytes(reply) ? encode(reply) : asElement(reply, encode) };
}

/** A command from its JSON, or null where the JSON is none. */
function asCommand(value: unknown): RedisCommand | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  return value.map((part) => (typeof part === "string" ? part : JSON.stringify(part)));
}

function asCommands(value: unknown): readonly RedisCommand[] | null {
  if (!Array.isArray(value) || value.length === 0) return null;
  const commands = value.map(asCommand);
  return commands.every((command) => command !== null) ? commands : null;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

async function answer(backend: RedisBackend, request: FacadeRequest): Promise<FacadeResponse> {
  const encode = request.headers["upstash-encoding"] === "base64" ? base64 : plain;
  const json = parse(request.body);
  if (request.path === "/") {
    const command = asCommand(json);
    if (command === null) return errorResponse(400, "ERR failed to parse command");
    const [reply = null] = await backend.run([command]);
    const body = asAnswer(reply, encode);
    return { status: "error" in body ? 400 : 200, body: JSON.stringify(body) };
  }
  const commands = asCommands(json);
  if (commands === null) return errorResponse(400, "ERR failed to parse pipeline request");
  const replies =
    request.path === "/pipeline"
      ? await backend.run(commands)
      : await backend.transaction(commands);
  if (replies instanceof RedisError) return errorResponse(400, replies.message);
  return { status: 200, body: JSON.stringify(replies.map((reply) => asAnswer(reply, encode))) };
}

/**
 * Serves `backend` as Upstash serves its databases over REST, to `@upstash/redis`: POST / with one
 * command, /pipeline and /multi-exec with several; base64 answers where they are asked for.
 */
export async function startRedisFacade(options: RedisFacadeOptions): Promise<RedisFacade> {
  const { backend, token, ...rest } = options;
  const wanted = digest(`Bearer ${token}`);
  let writes = 0;

  async function guarded(request: FacadeRequest): Promise<FacadeResponse> {
    if (!timingSafeEqual(digest(request.headers.authorization ?? ""), wanted)) {
      return errorResponse(401, "WRONGPASS invalid or missing auth token");
    }
    if (request.method !== "POST" || !["/", "/pipeline", "/multi-exec"].includes(request.path)) {
      return errorResponse(404, "ERR there is only POST to /, /pipeline and /multi-exec");
    }
    try {
      const response = await answer(backend, request);
      return { ...response, headers: { "upstash-sync-token": `local-${++writes}` } };
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return errorResponse(503, `ERR Redis does not answer: ${why}`);
    }
  }

  return { ...(await startFacadeServer(rest, guarded)), token };
}
