import { z } from "zod";
import type { AggregateValue } from "./aggregates/aggregate.ts";
import { AGGREGATE_NAMES, type AggregateName } from "./aggregates/catalogue.ts";
import type { Parameters } from "./aggregates/parameters.ts";
import { FIELD_KINDS, type FieldKind } from "./fields.ts";
import type { Condition } from "./plan.ts";
import type { Window } from "./window.ts";

/** Part of every specification: raised when the engine computes or packs states differently. */
export const ENGINE_FORMAT = 1;

export interface FeatureSpecification {
  readonly name: string;
  readonly aggregate: AggregateName;
  readonly parameters?: Parameters;
  /** Null takes every event. */
  readonly field: string | null;
  readonly kind: FieldKind | null;
  readonly dimensions?: number;
  /** What it keeps of a text, and of an event's order key, at most. */
  readonly max_bytes?: number;
  readonly order_bytes?: number;
  readonly where: readonly Condition[];
  readonly by?: { readonly field: string; readonly keys: readonly (string | boolean)[] };
  readonly window: Window;
  readonly default: AggregateValue;
}

/**
 * Everything that decides a view's values, and nothing else, in this order. Members that came later
 * are there only where they are used: views from before keep their text, and with it their version.
 */
export interface ViewSpecification {
  readonly format: number;
  readonly view: string;
  readonly entity: { readonly name: string; readonly key: readonly string[] };
  readonly source: {
    readonly name: string;
    readonly event_time: string;
    /** Of rows: the columns that name one. */
    readonly row_key?: readonly string[];
    /** Of pairs: the join's `name@hash`. */
    readonly pairs?: string;
  };
  /** The source's column of each part of the entity's key. */
  readonly key: readonly string[];
  readonly features: readonly FeatureSpecification[];
  readonly max_age_ms: number | null;
  readonly boundary?: "inclusive";
}

const text = z.string();
const value = z.union([text, z.number(), z.boolean()]);
const plain = z.union([text, z.boolean()]);
const span = { lengthMs: z.int().positive(), hopMs: z.int().positive() };

/** Strict: what an engine does not know, it would compute otherwise. */
const SPECIFICATION = z.strictObject({
  format: z.literal(ENGINE_FORMAT),
  view: text,
  entity: z.strictObject({ name: text, key: z.array(text) }),
  source: z.strictObject({
    name: text,
    event_time: text,
    row_key: z.array(text).optional(),
    pairs: text.optional(),
  }),
  key: z.array(text),
  features: z.array(
    z.strictObject({
      name: text,
      aggregate: z.enum(AGGREGATE_NAMES),
      parameters: z.record(text, z.number()).optional(),
      field: text.nullable(),
      kind: z.enum(FIELD_KINDS).nullable(),
      dimensions: z.number().optional(),
      max_bytes: z.number().optional(),
      order_bytes: z.number().optional(),
      where: z.array(z.strictObject({ field: text, values: z.array(plain) })),
      by: z.strictObject({ field: text, keys: z.array(plain) }).optional(),
      window: z.discriminatedUnion("kind", [
        z.strictObject({ kind: z.literal("lifetime") }),
        z.strictObject({ kind: z.literal("sawtooth"), ...span }),
        z.strictObject({ kind: z.literal("hopping"), ...span }),
      ]),
      default: z.union([value, z.array(value)]).nullable(),
    }),
  ),
  max_age_ms: z.number().nullable(),
  boundary: z.literal("inclusive").optional(),
});

/** Pure. A registered specification; null where this engine does not know all of what it says. */
export function readSpecification(spec: string): ViewSpecification | null {
  const read = SPECIFICATION.safeParse(JSON.parse(spec));
  return read.success ? (read.data as ViewSpecification) : null;
}
