import type { FieldError } from "../errors.ts";
import { err, ok, type Result } from "../result.ts";
import { unitVector } from "./unit-vector.ts";

/** Pure. A vector as clients send it, of unit length; errors name the member `vector`. */
export function readVector(
  input: unknown,
  dimensions: number,
): Result<readonly number[], readonly FieldError[]> {
  const expected = `expected a list of ${dimensions} finite numbers`;
  if (!Array.isArray(input)) return refuse("vector", "wrong_type", expected);
  if (input.length !== dimensions) {
    return refuse("vector", "wrong_dimensions", `${expected}, not of ${input.length}`);
  }
  const wrong = input.findIndex((component) => !Number.isFinite(component));
  if (wrong !== -1) return refuse(`vector[${wrong}]`, "wrong_type", "expected a finite number");
  const unit = unitVector(input as readonly number[]);
  return unit === null ? refuse("vector", "zero_vector", "expected not only zeros") : ok(unit);
}

const refuse = (path: string, code: string, detail: string): Result<never, readonly FieldError[]> =>
  err([{ path, code, detail }]);
