import { AppError } from "../../errors.ts";

/** Cloudflare's limits, with 1 kB = 1,000 bytes; its own metadata counts and is about 100 bytes. */
const METADATA_BYTES = 100;
const MAX_MESSAGE_BYTES = 128_000;
const MAX_BATCH_BYTES = 256_000;
const MAX_BATCH_MESSAGES = 100;

/**
 * Pure. The messages in their order, in batches that one `sendBatch` takes. Throws AppError
 * `payload_too_large` for a message that none takes, before anything is sent.
 */
export function planBatches<T>(messages: readonly T[]): readonly (readonly T[])[] {
  const batches: T[][] = [];
  const encoder = new TextEncoder();
  let room = 0;
  for (const message of messages) {
    const size = encoder.encode(JSON.stringify(message)).byteLength + METADATA_BYTES;
    if (size > MAX_MESSAGE_BYTES) {
      throw new AppError("payload_too_large", "A message is larger than 128 kB.");
    }
    const batch = batches.at(-1);
    if (batch === undefined || batch.length === MAX_BATCH_MESSAGES || size > room) {
      batches.push([message]);
      room = MAX_BATCH_BYTES - size;
    } else {
      batch.push(message);
      room -= size;
    }
  }
  return batches;
}
