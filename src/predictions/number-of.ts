import type { FeatureValue } from "../features/aggregates/aggregate.ts";

const DECIMAL = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/**
 * Pure. A feature as a number: decimals come as text ("129.90"), true is 1. NaN for null, for other
 * text, and for what no double holds.
 */
export function numberOf(value: FeatureValue): number {
  if (typeof value === "string") value = DECIMAL.test(value) ? Number(value) : Number.NaN;
  else if (typeof value === "boolean") return value ? 1 : 0;
  return Number.isFinite(value) ? (value as number) : Number.NaN;
}
