import type { z } from "zod";
import type { Acceptance } from "./define-source.ts";
import type { Field } from "./fields.ts";

/** What makes a source one of rows that change. */
export interface TablePlan {
  /** The columns that name a row. */
  readonly key: readonly string[];
  /** The columns of the key alone: all that must be there of a row that is deleted. */
  readonly identity: { readonly schema: z.ZodObject; readonly fields: readonly Field[] };
  /** The column that orders a row's changes; null where each change says its order itself. */
  readonly orderField: string | null;
}

/** Which column of each side must be equal. */
export interface JoinColumn {
  readonly left: string;
  readonly right: string;
}

/** A field of a side's event, and what it is called in the pair. */
export interface PairField {
  readonly from: string;
  readonly to: string;
}

/** What makes a source one of pairs. */
export interface JoinPlan {
  readonly name: string;
  readonly left: string;
  readonly right: string;
  readonly on: readonly JoinColumn[];
  readonly withinMs: number;
  /** The most left events that a right one is paired with: the latest. */
  readonly fanOut: number;
  /** `name@hash`: the source of its pairs in the log, and the kind of entity at which sides meet. */
  readonly sourceId: string;
  /** Which fields of a pair come from each side. */
  readonly fields: Readonly<Record<"left" | "right", readonly PairField[]>>;
}

/** A source compiled: how its records are checked and read. */
export interface SourcePlan {
  readonly name: string;
  readonly schema: z.ZodObject;
  readonly fields: readonly Field[];
  /** Null where the id is the hash of the record, or made by the engine (rows and pairs). */
  readonly idField: string | null;
  readonly eventTimeField: string;
  /** Empty for pairs, which nobody sends. */
  readonly accept: readonly Acceptance[];
  readonly table: TablePlan | null;
  readonly join: JoinPlan | null;
  readonly owner: string;
  readonly description: string;
}
