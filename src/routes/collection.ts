import type { Ctx } from "../context.ts";
import { AppError, type FieldError } from "../errors.ts";
import type { CollectionPlan } from "../retrieval/collection-plan.ts";

/** The collection of that name; throws AppError `not_found`. */
export function getCollection({ collections }: Pick<Ctx, "collections">, name: string) {
  const plan: CollectionPlan | undefined = collections.get(name);
  if (plan !== undefined) return plan;
  throw new AppError("not_found", `there is no collection "${name}"`);
}

/** A refusal of fields, `unprocessable`; at most twenty are named. */
export const unprocessable = (what: string, errors: readonly FieldError[]): AppError =>
  new AppError("unprocessable", `${what}: ${errors[0]?.detail ?? "is wrong"}`, {
    errors: errors.slice(0, 20),
  });
