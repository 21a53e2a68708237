import { AppError } from "../../errors.ts";
import type { DeadLetterArchive } from "../../ingest/quarantine-store.ts";

const MAX_PAGE = 1_000;

/** Dead letters in a bucket of their own; listed in the order of their keys. */
export function createDeadLetters(
  bucket: Pick<R2Bucket, "put" | "list" | "get" | "delete">,
): DeadLetterArchive {
  return {
    async put(key, body) {
      await answered(bucket.put(key, body));
    },
    async list(limit) {
      const { objects } = await answered(bucket.list({ limit: Math.min(limit, MAX_PAGE) }));
      return objects.map(({ key }) => key);
    },
    async get(key) {
      const object = await answered(bucket.get(key));
      return object === null ? null : await answered(object.text());
    },
    async remove(key) {
      await answered(bucket.delete(key));
    },
  };
}

async function answered<T>(call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (error) {
    const cause = new Error(`R2: ${error instanceof Error ? error.name : typeof error}`);
    throw new AppError("dependency_unavailable", "The archive does not answer.", { cause });
  }
}
