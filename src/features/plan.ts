import type { Aggregate, FeatureValue } from "./aggregates/aggregate.ts";
import type { Field } from "./fields.ts";
import type { Window } from "./window.ts";

/** A condition on one field: the record's value must be one of these. */
export interface Condition {
  readonly field: string;
  readonly values: readonly (string | boolean)[];
}

/** A distinct partial state of a view, shared by all features that read it. */
export interface PartialPlan {
  readonly aggregate: Aggregate<unknown>;
  /** Null takes every event. */
  readonly field: Field | null;
  readonly conditions: readonly Condition[];
}

/** The tiles of one size: which partials they hold, and for which windows they are kept. */
export interface LevelPlan {
  readonly sizeMs: number;
  /** Positions in ViewPlan.partials, in the order in which a tile holds them. */
  readonly partials: readonly number[];
  readonly windows: readonly Window[];
}

export interface FeaturePlan {
  readonly name: string;
  readonly aggregate: Aggregate<unknown>;
  /** Position in ViewPlan.partials. */
  readonly partial: number;
  readonly window: Window;
  /** Decimals and bigints are returned as text. */
  readonly asText: boolean;
  readonly fallback: FeatureValue;
  /** Whether "nothing" is 0 rather than null. */
  readonly counts: boolean;
}

/** A view version compiled: everything that folding and reading need. */
export interface ViewPlan {
  readonly name: string;
  readonly entity: string;
  readonly source: string;
  /** The source's column of each key part, in the entity's order. */
  readonly keyColumns: readonly string[];
  /** `name@hash`. */
  readonly stateId: string;
  readonly specHash: string;
  readonly spec: string;
  readonly partials: readonly PartialPlan[];
  /** Finest first. */
  readonly levels: readonly LevelPlan[];
  readonly features: readonly FeaturePlan[];
  /** Counts the events of the longest window: none means that the entity is not found. */
  readonly presence: FeaturePlan;
  readonly maxAgeMs: number | null;
  readonly owner: string;
  readonly description: string;
}
