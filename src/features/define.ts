import { z } from "zod";
import type { Duration } from "../time.ts";
import type { AggregateName } from "./aggregates/catalogue.ts";
import type { Aggregation } from "./aggregation.ts";
import type { Columns, Source, TableSource } from "./define-source.ts";

/** A thing that has features, known by one or more key columns. */
export interface Entity<N extends string = string, K extends string = string> {
  readonly kind: "entity";
  readonly name: N;
  readonly key: readonly K[];
  readonly description: string;
}

/** Declares an entity; `key` names its key column, or columns in order. */
export function entity<const N extends string, const K extends string>(
  name: N,
  options: { readonly key: K | readonly K[]; readonly description?: string },
): Entity<N, K> {
  const key = typeof options.key === "string" ? [options.key] : options.key;
  return { kind: "entity", name, key, description: options.description ?? "" };
}

type Schema<S> = S extends { readonly schema: infer Z extends z.ZodObject } ? Z : never;
type Column<S> = Columns<Schema<S>>;
type Cell<S, F> = NonNullable<z.output<Schema<S>>[F & keyof z.output<Schema<S>>]>;
type Exactly = string & (z.$brand<"decimal"> | z.$brand<"bigint">);
/** The columns whose values are of a type. */
type Having<S, T> = { [F in Column<S>]: Cell<S, F> extends T ? F : never }[Column<S>];
type Edge = "first" | "last" | "firstN" | "lastN";
type Distinct = "countDistinct" | "approxCountDistinct";
type Allowed<A extends AggregateName, S> = A extends "vectorMean"
  ? Having<S, z.$brand<"vector">>
  : A extends Edge | Distinct
    ? Having<S, string | number | boolean>
    : Having<S, number | Exactly>;

/** Each feature as it is, or what is wrong with it in place of its type. */
type Checked<S, F> = {
  [P in keyof F]: F[P] extends Aggregation<infer A, infer C, infer W, infer _D, infer _K>
    ? [C] extends [Allowed<A, S>]
      ? [W] extends [Having<S, string | number | boolean>]
        ? F[P]
        : {
            readonly "where() or by() names a field that the source does not have": Exclude<
              W,
              Column<S>
            >;
          }
      : { readonly "not a field of the source that this aggregate can take": C }
    : never;
};

/** A field's values as they are returned: what is exact, as text. */
type Returned<S, F> = Cell<S, F> extends Exactly ? string : Cell<S, F>;

type ValueOf<S, A, F> = A extends "firstN" | "lastN" | "topN"
  ? readonly Returned<S, F>[]
  : A extends "vectorMean"
    ? readonly number[]
    : A extends "sum" | "min" | "max" | "first" | "last"
      ? Returned<S, F>
      : number;

/** A value for each key where `by()` gives keys. */
type Split<K extends string, T> = [K] extends [never] ? T : { readonly [P in K]: T };

/** What a view's features return, by name; null where a feature may be empty. */
export type ViewValues<V> =
  V extends FeatureView<string, infer _E, infer S, infer F>
    ? {
        readonly [P in keyof F]: F[P] extends Aggregation<
          infer A,
          infer C,
          infer _W,
          infer D,
          infer K
        >
          ? Split<K, ValueOf<S, A, C> | (A extends "count" ? never : D)>
          : never;
      }
    : never;

/** What a value at T takes: events before T, or also those at T, as the state of a table's rows. */
export type Boundary = "exclusive" | "inclusive";

/** Features of one entity, computed from one source. */
export interface FeatureView<
  N extends string = string,
  E extends Entity = Entity,
  S extends Source = Source,
  F = Readonly<Record<string, Aggregation>>,
> {
  readonly kind: "feature_view";
  readonly name: N;
  readonly entity: E;
  readonly source: S;
  /** The source's column for each of the entity's key columns, in their order. */
  readonly key: Readonly<Record<string, string>>;
  readonly features: F;
  readonly maxAge: Duration | null;
  /** Whether a value at T takes what happened at T as well. */
  readonly boundary: Boundary;
  readonly owner: string;
  readonly description: string;
}

/**
 * Declares a view; `key` maps key columns to the source's where their names differ. A view of a
 * table's rows may be inclusive: at T it is what other views are a millisecond later.
 */
export function featureView<
  const N extends string,
  E extends Entity,
  S extends Source,
  F extends Readonly<
    Record<string, Aggregation<AggregateName, never, never, never, never> | Aggregation>
  >,
>(
  name: N,
  options: {
    readonly entity: E;
    readonly source: S;
    readonly key?: Partial<Record<E["key"][number], Column<S>>>;
    readonly features: F & Checked<S, F>;
    readonly maxAge?: Duration;
    readonly boundary?: S extends TableSource ? Boundary : "exclusive";
    readonly owner?: string;
    readonly description?: string;
  },
): FeatureView<N, E, S, F> {
  const { key = {}, maxAge = null, owner = "", description = "" } = options;
  return {
    kind: "feature_view",
    name,
    entity: options.entity,
    source: options.source,
    key: key,
    features: options.features,
    maxAge,
    boundary: options.boundary ?? "exclusive",
    owner,
    description,
  };
}

type AnyView = FeatureView<string, Entity, Source, unknown>;
type Given<V extends readonly AnyView[]> = {
  readonly [View in V[number] as View["name"]]: ViewValues<View>;
};

/**
 * What on-demand features must give: a request, the features it meets (null where left out), and
 * some of the results.
 */
export interface GoldenCase {
  readonly request: Readonly<Record<string, unknown>>;
  readonly features?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly expect: Readonly<Record<string, unknown>>;
}

/** Features computed from a request and other features, by the same function everywhere. */
export interface OnDemandView<N extends string = string, F = Readonly<Record<string, unknown>>> {
  readonly kind: "on_demand_view";
  readonly name: N;
  readonly version: number;
  readonly request: z.ZodObject;
  readonly from: readonly AnyView[];
  readonly features: F;
  readonly cases: readonly GoldenCase[];
  readonly description: string;
}

/** One on-demand feature as the engine calls it. */
export type OnDemandFunction = (input: {
  readonly request: Readonly<Record<string, unknown>>;
  readonly features: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}) => string | number | boolean | null;

/**
 * Declares on-demand features; raise `version` with every change of a function. `cases` are checked
 * whenever the definitions are applied.
 */
export function onDemand<
  const N extends string,
  R extends z.ZodObject,
  const V extends readonly AnyView[],
  F extends Readonly<
    Record<
      string,
      (input: {
        readonly request: z.output<R>;
        readonly features: Given<V>;
      }) => string | number | boolean | null
    >
  >,
>(
  name: N,
  options: {
    readonly version: number;
    readonly request: R;
    readonly from: V;
    readonly features: F;
    readonly cases?: readonly {
      readonly request: z.input<R>;
      readonly features?: { readonly [View in keyof Given<V>]?: Partial<Given<V>[View]> };
      readonly expect: { readonly [K in keyof NoInfer<F>]?: ReturnType<NoInfer<F>[K]> };
    }[];
    readonly description?: string;
  },
): OnDemandView<N, F> {
  const { cases = [], description = "" } = options;
  return {
    kind: "on_demand_view",
    name,
    ...options,
    cases: cases as readonly GoldenCase[],
    description,
  };
}

/** Views that are read together under one name. */
export interface FeatureService<N extends string = string> {
  readonly kind: "feature_service";
  readonly name: N;
  readonly views: readonly (AnyView | OnDemandView<string, unknown>)[];
  readonly description: string;
}

/** Declares a service: the features that one model or page asks for. */
export const service = <const N extends string>(
  name: N,
  views: FeatureService["views"],
  options: { readonly description?: string } = {},
): FeatureService<N> => ({
  kind: "feature_service",
  name,
  views,
  description: options.description ?? "",
});

export type FeatureDefinition =
  | Entity
  | Source
  | AnyView
  | OnDemandView<string, unknown>
  | FeatureService;
