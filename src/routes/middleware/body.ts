import { AppError } from "../../errors.ts";

/** How many bytes a body may have as it was sent, and after decompression. */
export interface BodyLimits {
  readonly sentBytes: number;
  readonly inflatedBytes: number;
}

const MB = 1024 * 1024;
export const EVENT_LIMITS: BodyLimits = { sentBytes: 5 * MB, inflatedBytes: 10 * MB };
export const DOCUMENT_LIMITS: BodyLimits = { sentBytes: 5 * MB, inflatedBytes: 10 * MB };
export const QUERY_LIMITS: BodyLimits = { sentBytes: MB, inflatedBytes: MB };

/** Deflate packs a thousandfold at most, so that a step comes to 16 MB in the worst case. */
const STEP_BYTES = 16 * 1024;

function tooLarge(maxBytes: number, inflated = false): AppError {
  const when = inflated ? " after decompression" : "";
  return new AppError("payload_too_large", `the body is over ${maxBytes} bytes${when}`);
}

/**
 * The bytes of a body as they were sent, still compressed where they were. Throws AppError
 * `payload_too_large` at once where the length is declared, else as soon as the limit is passed.
 */
export async function readSent(request: Request, maxBytes: number): Promise<Uint8Array> {
  const declared = request.headers.get("content-length");
  if (declared !== null && Number(declared) > maxBytes) {
    await request.body?.cancel();
    throw tooLarge(maxBytes);
  }
  if (request.body === null) return new Uint8Array();
  if (declared !== null) {
    const bytes = new Uint8Array(await request.arrayBuffer());
    if (bytes.length > maxBytes) throw tooLarge(maxBytes);
    return bytes;
  }
  return collect(request.body as ReadableStream<Uint8Array>, maxBytes, {
    inflated: false,
    size: 0,
  });
}

interface Progress {
  readonly inflated: boolean;
  /** Bytes that have come so far. */
  size: number;
}

async function collect(
  stream: ReadableStream<Uint8Array>,
  maxBytes: number,
  progress: Progress,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    progress.size += value.length;
    if (progress.size > maxBytes) {
      await reader.cancel();
      throw tooLarge(maxBytes, progress.inflated);
    }
    chunks.push(value);
  }
  return join(chunks, progress.size);
}

function join(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const [only] = chunks;
  if (chunks.length === 1 && only !== undefined) return only;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/**
 * A body after decompression: Workers hand it over as it was sent. Throws AppError
 * `unsupported_media_type` for a coding other than gzip, `payload_too_large`, `invalid_request`.
 */
export async function inflate(
  contentEncoding: string | null,
  sent: Uint8Array,
  maxBytes: number,
): Promise<Uint8Array> {
  const coding = (contentEncoding ?? "").trim().toLowerCase();
  if (coding === "" || coding === "identity") {
    if (sent.length > maxBytes) throw tooLarge(maxBytes);
    return sent;
  }
  if (coding !== "gzip" && coding !== "x-gzip") {
    throw new AppError("unsupported_media_type", "send the body plain or with gzip");
  }
  const gunzip = new DecompressionStream("gzip");
  const progress: Progress = { inflated: true, size: 0 };
  try {
    const [inflated] = await Promise.all([
      collect(gunzip.readable, maxBytes, progress),
      feed(gunzip.writable.getWriter(), sent, maxBytes, progress),
    ]);
    return inflated;
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError("invalid_request", "the body is not valid gzip", { cause: error });
  }
}

/**
 * Step by step, each when the last has come out: workerd's stream takes whatever it is given and
 * keeps all that it inflates to, without making the writer wait.
 */
async function feed(
  writer: WritableStreamDefaultWriter,
  bytes: Uint8Array,
  maxBytes: number,
  progress: Readonly<Progress>,
): Promise<void> {
  for (let at = 0; at < bytes.length; at += STEP_BYTES) {
    await writer.write(bytes.subarray(at, at + STEP_BYTES));
    if (at + STEP_BYTES < bytes.length) await untilQuiet(progress);
    if (progress.size > maxBytes) return;
  }
  await writer.close();
}

/** Waits until a turn of the event loop brings nothing more. */
async function untilQuiet(progress: Readonly<Progress>): Promise<void> {
  let before: number;
  do {
    before = progress.size;
    await new Promise((resolve) => {
      setTimeout(resolve, 0);
    });
  } while (progress.size !== before);
}

/** Pure. A body's text; throws AppError `invalid_request` where it is no UTF-8. */
export function utf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw new AppError("invalid_request", "the body is not valid UTF-8");
  }
}
