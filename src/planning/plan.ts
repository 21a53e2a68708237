import type { Deployment } from "../deployment.ts";
import type { Difference } from "./diff-definitions.ts";
import type { Incompatibility } from "./incompatible.ts";
import type { Size } from "./log-sizes.ts";
import type { Reader } from "./readers.ts";
import type { SameFeature } from "./same-features.ts";

/** What it takes to compute a view from the log. */
export interface BuildCost {
  /** Events of its source to look through, where that source never fed that entity; else null. */
  readonly backfill: number | null;
  readonly entities: number;
  /** Events that were folded into these entities, of all their sources: all are read. */
  readonly events: number;
  /** Whether the numbers are exact; else they are estimates from above. */
  readonly exact: boolean;
  /** Estimated. */
  readonly seconds: number;
}

/** A definition that applying changes something of, or finishes. */
export interface PlannedChange extends Omit<Difference, "action"> {
  /** `unfinished`: registered as it is, and not completely built. */
  readonly action: Difference["action"] | "unfinished";
  /** Who uses it; of what is removed, who used it. */
  readonly readers: readonly Reader[];
  /** Null where no view is to be built. */
  readonly build: BuildCost | null;
  /** The largest state of one entity in bytes; null where it is no view, or not known. */
  readonly stateBytes: number | null;
  /** Documents that are to be put into a new index; null where it is no collection. */
  readonly documents: Size | null;
}

/** A version of a view. */
export interface ViewVersion {
  readonly name: string;
  readonly version: number;
}

/** What applying a deployment's definitions would do. */
export interface Plan {
  readonly deployment: Deployment;
  readonly changes: readonly PlannedChange[];
  /** Views in use beside the deployment's, which were applied before it: applying retires them. */
  readonly beside: readonly ViewVersion[];
  readonly unchanged: number;
  readonly incompatible: readonly Incompatibility[];
  readonly sameFeatures: readonly SameFeature[];
  /** Why it cannot be applied; empty where it can. */
  readonly problems: readonly string[];
  /** What does not prevent it, and should be known. */
  readonly warnings: readonly string[];
  /** Estimated duration of all that is to be built from the log. */
  readonly seconds: number;
}
