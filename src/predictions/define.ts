import type { FeatureService } from "../features/define.ts";

/** What a model answers: one of its classes, or a number. */
export type Task = "classifier" | "regressor";

/** A trained model: its file, and the service of which it takes features. */
export interface Model<N extends string = string> {
  readonly kind: "model";
  readonly name: N;
  readonly features: FeatureService;
  readonly task: Task;
  /** An imported JSON file in one of the formats of src/predictions/formats. */
  readonly file: unknown;
  readonly owner: string;
  readonly description: string;
}

/** Declares a model; `kind` must be what its file holds. */
export function model<const N extends string>(
  name: N,
  options: {
    readonly features: FeatureService;
    readonly kind: Task;
    readonly file: unknown;
    readonly owner?: string;
    readonly description?: string;
  },
): Model<N> {
  const { features, kind: task, file, owner = "", description = "" } = options;
  return { kind: "model", name, features, task, file, owner, description };
}
