import { err, ok, type Result } from "../../result.ts";
import type { Embedding } from "../../retrieval/embedder.ts";
import { unitVector } from "../../retrieval/unit-vector.ts";

/**
 * Pure. What a server answered, as `count` unit vectors with null for zeros; or what is wrong with
 * it, in our words.
 */
export function checkVectors(
  answer: readonly unknown[],
  count: number,
  dimensions: number,
): Result<readonly Embedding[], string> {
  if (answer.length !== count) return err(`it gave ${answer.length} vectors for ${count} texts`);
  const embeddings: Embedding[] = [];
  for (const vector of answer) {
    if (!Array.isArray(vector)) return err("it gave something that is no vector");
    if (vector.length !== dimensions) {
      return err(`its vectors have ${vector.length} dimensions, not ${dimensions}`);
    }
    if (!vector.every((component) => Number.isFinite(component))) {
      return err("it gave a vector with something that is no finite number");
    }
    embeddings.push(unitVector(vector as readonly number[]));
  }
  return ok(embeddings);
}
