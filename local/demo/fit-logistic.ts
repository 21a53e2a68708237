/** A logistic regression: log-odds = intercept + Σ coefficient · x. */
export interface LogisticFit {
  readonly intercept: number;
  readonly coefficients: readonly number[];
}

const MAX_STEPS = 50;
const TOLERANCE = 1e-10;

/**
 * Pure. The coefficients that maximise the likelihood of `labels` less λ/2 · Σ coefficient², by
 * Newton's method, which is iteratively reweighted least squares. The intercept is not held back.
 * Throws a RangeError where it does not settle.
 */
export function fitLogistic(
  rows: readonly (readonly number[])[],
  labels: readonly boolean[],
  lambda: number,
): LogisticFit {
  // The intercept is the coefficient of a first input that is always 1.
  const inputs = rows.map((row) => [1, ...row]);
  const size = inputs[0]?.length ?? 1;
  const weights = Array<number>(size).fill(0);
  for (let step = 0; step < MAX_STEPS; step += 1) {
    const { gradient, hessian } = derivatives(inputs, labels, weights, lambda);
    const change = solve(hessian, gradient);
    for (const [i, by] of change.entries()) weights[i] = at(weights, i) + by;
    if (change.every((by) => Math.abs(by) < TOLERANCE)) {
      const [intercept = 0, ...coefficients] = weights;
      return { intercept, coefficients };
    }
  }
  throw new RangeError(`the fit does not settle within ${MAX_STEPS} steps`);
}

/** Rows of one length are never read beyond it. */
const at = (row: readonly number[], i: number): number => row[i] ?? 0;

function derivatives(
  inputs: readonly (readonly number[])[],
  labels: readonly boolean[],
  weights: readonly number[],
  lambda: number,
) {
  const size = weights.length;
  const held = weights.map((_, i) => (i === 0 ? 0 : lambda));
  const gradient = weights.map((weight, i) => -at(held, i) * weight);
  const hessian = held.map((value, i) => held.map((_, j) => (i === j ? value : 0)));
  for (const [n, row] of inputs.entries()) {
    const score = row.reduce((sum, x, i) => sum + x * at(weights, i), 0);
    const p = 1 / (1 + Math.exp(-score));
    const error = (labels[n] === true ? 1 : 0) - p;
    for (let i = 0; i < size; i += 1) {
      gradient[i] = at(gradient, i) + error * at(row, i);
      const line = hessian[i] ?? [];
      for (let j = 0; j <= i; j += 1) line[j] = at(line, j) + p * (1 - p) * at(row, i) * at(row, j);
    }
  }
  return { gradient, hessian };
}

/** Pure. x of A x = b for a positive definite A, of which the lower half is read (Cholesky). */
function solve(a: readonly (readonly number[])[], b: readonly number[]): readonly number[] {
  const lower: number[][] = [];
  const x: number[] = [];
  for (const [i, row] of a.entries()) {
    const line: number[] = [];
    for (let j = 0; j <= i; j += 1) {
      const other = j === i ? line : (lower[j] ?? []);
      let rest = at(row, j);
      for (let k = 0; k < j; k += 1) rest -= at(line, k) * at(other, k);
      line[j] = j === i ? Math.sqrt(rest) : rest / at(other, j);
    }
    lower.push(line);
    const known = x.reduce((sum, value, k) => sum + at(line, k) * value, 0);
    x.push((at(b, i) - known) / at(line, i));
  }
  for (let i = x.length - 1; i >= 0; i -= 1) {
    let rest = at(x, i);
    for (let k = i + 1; k < x.length; k += 1) rest -= at(lower[k] ?? [], i) * at(x, k);
    x[i] = rest / at(lower[i] ?? [], i);
  }
  return x;
}
