import type { Aggregate, AggregateValue } from "./aggregates/aggregate.ts";
import type { Field } from "./fields.ts";
import type { Window } from "./window.ts";

/** A condition on one field: the record's value must be one of these, or none where negated. */
export interface Condition {
  readonly field: string;
  readonly values: readonly (string | boolean)[];
  /** Any value but these; still none where there is no value. */
  readonly negated?: true;
}

/** The most bytes that a partial keeps of each event's texts; null where it keeps none. */
export interface Keeps {
  readonly text: number | null;
  readonly order: number | null;
}

/**
 * What a plan knows of a field. Its values depend on the first three; the others are not known of a
 * view that another deployment registered.
 */
export type KeptField = Pick<Field, "name" | "kind" | "dimensions"> &
  Partial<Pick<Field, "pii" | "maxBytes">>;

/** A distinct partial state of a view, shared by all features that read it. */
export interface PartialPlan {
  readonly aggregate: Aggregate<unknown>;
  /** Null takes every event. */
  readonly field: KeptField | null;
  readonly conditions: readonly Condition[];
  readonly keeps: Keeps;
}

/** The tiles of one size: which partials they hold, and for which windows they are kept. */
export interface LevelPlan {
  readonly sizeMs: number;
  /** Positions in ViewPlan.partials, in the order in which a tile holds them. */
  readonly partials: readonly number[];
  /** The widest of those that read its tiles: beyond them, a tile is gone. */
  readonly windows: readonly Window[];
  /** For each partial, the widest of its own: beyond them, a tile holds the empty partial. */
  readonly windowsOf: readonly (readonly Window[])[];
}

export interface FeaturePlan {
  readonly name: string;
  readonly aggregate: Aggregate<unknown>;
  /** Positions in ViewPlan.partials: one, or one for each of `keys`. */
  readonly partials: readonly number[];
  /** What `by()` splits the value into, `other` last; null where it is one value. */
  readonly keys: readonly string[] | null;
  readonly window: Window;
  /** Decimals and bigints are returned as text. */
  readonly asText: boolean;
  readonly fallback: AggregateValue;
  /** Whether "nothing" is 0 rather than null. */
  readonly counts: boolean;
}

/** What tells whether an entity is found: a count of events, and windows that hold all others. */
export interface PresencePlan {
  readonly aggregate: Aggregate<unknown>;
  /** Position in ViewPlan.partials. */
  readonly partial: number;
  /** None of them holding an event means that none of the view's windows does. */
  readonly windows: readonly Window[];
}

/** A view version compiled: everything that folding and reading need. */
export interface ViewPlan {
  readonly name: string;
  readonly entity: string;
  readonly source: string;
  /** What the source is called in the log: of pairs, `source@hash`. */
  readonly sourceId: string;
  /** Whether events of the source may be taken back: those of rows and pairs. */
  readonly isSigned: boolean;
  /** Whether a value at T takes what happened at T: it is the value of others a millisecond later. */
  readonly isInclusive: boolean;
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
  readonly presence: PresencePlan;
  readonly maxAgeMs: number | null;
  readonly owner: string;
  readonly description: string;
}
