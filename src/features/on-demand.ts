import { AppError, type FieldError } from "../errors.ts";
import { err, ok, type Result } from "../result.ts";
import type { FeatureValue } from "./aggregates/aggregate.ts";
import type { ViewAnswer } from "./assemble.ts";
import type { OnDemandFunction } from "./define.ts";
import type { OnDemandPlan } from "./registry.ts";
import type { Selection } from "./select.ts";

/** A validated request of one entity, per on-demand view. */
export type RequestOf = ReadonlyMap<string, Readonly<Record<string, unknown>>>;

/**
 * Pure. Validates what on-demand features need of the request, one object per entity. Throws
 * AppError `unprocessable` with every field that is wrong.
 */
export function readRequests(
  plans: readonly OnDemandPlan[],
  requests: readonly Readonly<Record<string, unknown>>[] | undefined,
  entities: number,
): readonly RequestOf[] {
  if (plans.length === 0) return [];
  if (requests !== undefined && requests.length !== entities) {
    throw new AppError(
      "unprocessable",
      `"request" has ${requests.length} objects for ${entities} entities; give one for each`,
    );
  }
  const errors: FieldError[] = [];
  const read: RequestOf[] = [];
  for (let i = 0; i < entities && errors.length < 20; i += 1) {
    const ofEntity = readRequest(plans, requests?.[i], `request[${i}]`);
    if (ofEntity.ok) read.push(ofEntity.value);
    else errors.push(...ofEntity.error);
  }
  if (errors.length > 0) {
    throw new AppError("unprocessable", "on-demand features need more of the request", { errors });
  }
  return read;
}

/** Pure. One entity's request, validated for every on-demand view, or all that is wrong with it. */
export function readRequest(
  plans: readonly OnDemandPlan[],
  given: Readonly<Record<string, unknown>> | undefined,
  path: string,
): Result<RequestOf, readonly FieldError[]> {
  const read = new Map<string, Readonly<Record<string, unknown>>>();
  const errors: FieldError[] = [];
  for (const { name, request } of plans) {
    const parsed = request.safeParse(given ?? {});
    if (parsed.success) read.set(name, parsed.data);
    else errors.push(...parsed.error.issues.map((issue) => fieldError(name, path, issue)));
  }
  return errors.length > 0 ? err(errors) : ok(read);
}

const fieldError = (
  view: string,
  path: string,
  issue: {
    readonly path: readonly PropertyKey[];
    readonly code?: string;
    readonly message: string;
  },
): FieldError => ({
  path: [path, ...issue.path].join("."),
  code: issue.code ?? "invalid",
  detail: `"${view}": ${issue.message}`,
});

/** Whether a function's result has a place in an answer: a plain value, and no number beyond all. */
const isPlain = (value: unknown): value is string | number | boolean | null =>
  value === null ||
  typeof value === "string" ||
  typeof value === "boolean" ||
  Number.isFinite(value);

/** One on-demand feature; null, and `failed`, where its function throws or gives no plain value. */
export function computeFeature(
  compute: OnDemandFunction,
  input: Parameters<OnDemandFunction>[0],
): { readonly value: FeatureValue; readonly failed: boolean } {
  try {
    const value: unknown = compute(input);
    if (isPlain(value)) return { value, failed: false };
    // Nobody waits for an async function: that it fails later must not end the process.
    if (value instanceof Promise) value.catch(() => undefined);
  } catch {
    // As any other result that is none.
  }
  return { value: null, failed: true };
}

/** The same value, frozen to its depths: what one function is given, no other one changes. */
export function frozen<T>(value: T): T {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  if (Object.isFrozen(value)) return value;
  Object.freeze(value);
  Object.values(value).forEach(frozen);
  return value;
}

/**
 * Computes on-demand features from a request and the features of the views (after defaults), which
 * are frozen. A function that throws, or gives no plain value, gives null, and its name is added to
 * `failed`.
 */
export function computeOnDemand(
  selection: Selection,
  answers: ReadonlyMap<string, ViewAnswer | undefined>,
  requests: RequestOf,
  failed: Set<string>,
): ReadonlyMap<string, ViewAnswer> {
  const answered = new Map<string, ViewAnswer>();
  if (selection.onDemand.length === 0) return answered;
  const given = frozen(
    Object.fromEntries(
      selection.views.map(({ name, features }) => {
        const values = answers.get(name)?.values ?? [];
        return [name, Object.fromEntries(features.map((f, i) => [f.name, values[i] ?? null]))];
      }),
    ),
  );
  for (const { name, features } of selection.onDemand) {
    const request = frozen(requests.get(name) ?? {});
    const values = features.map((feature) => {
      const computed = computeFeature(feature.compute, { request, features: given });
      if (computed.failed) failed.add(`${name}:${feature.name}`);
      return computed.value;
    });
    const statuses = values.map((value) => (value === null ? "NULL_VALUE" : "PRESENT"));
    answered.set(name, { values, statuses, capped: [] });
  }
  return answered;
}
