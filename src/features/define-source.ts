import { z } from "zod";
import type { Duration } from "../time.ts";

/** Who may send to a source. */
export type Acceptance =
  | { readonly kind: "api_key" }
  | { readonly kind: "standard_webhooks"; readonly secret: string };

/** Accepts requests with an API key that may ingest. */
export const apiKey = (): Acceptance => ({ kind: "api_key" });

/** Accepts Standard Webhooks signed with a secret, given by its variable's name. */
export const standardWebhooks = (secret: string): Acceptance => ({
  kind: "standard_webhooks",
  secret,
});

/** Marks the event id as the hash of the record, for senders that give none. */
export const CONTENT_HASH = Symbol("content hash");
export const contentHash = (): typeof CONTENT_HASH => CONTENT_HASH;

export type Columns<S extends z.ZodObject> = keyof z.output<S> & string;

/** Append-only facts of one flat shape. */
export interface EventSource<N extends string = string, S extends z.ZodObject = z.ZodObject> {
  readonly kind: "event_source";
  readonly name: N;
  readonly schema: S;
  readonly id: string | typeof CONTENT_HASH;
  readonly eventTime: string;
  readonly accept: readonly Acceptance[];
  readonly owner: string;
  readonly description: string;
}

/** Declares a source of events: its record, its id, its event time, and who may send. */
export function eventSource<const N extends string, S extends z.ZodObject>(
  name: N,
  options: {
    readonly schema: S;
    readonly id: Columns<S> | typeof CONTENT_HASH;
    readonly eventTime: Columns<S>;
    readonly accept: readonly Acceptance[];
    readonly owner?: string;
    readonly description?: string;
  },
): EventSource<N, S> {
  const { owner = "", description = "" } = options;
  return { kind: "event_source", name, ...options, owner, description };
}

/** The rows of somebody's table, as its changes tell them. */
export interface TableSource<N extends string = string, S extends z.ZodObject = z.ZodObject> {
  readonly kind: "table_source";
  readonly name: N;
  readonly schema: S;
  readonly key: readonly string[];
  readonly order: string | null;
  readonly eventTime: string;
  readonly accept: readonly Acceptance[];
  readonly owner: string;
  readonly description: string;
}

/**
 * Declares a source of rows that change. `key` names a row; `eventTime` is a column of the business
 * that does not change with every update, as `created_at`; `order` is the column that grows with
 * each change of a row, as `updated_at`, where the changes do not say their order themselves (a log
 * sequence number).
 */
export function tableSource<const N extends string, S extends z.ZodObject>(
  name: N,
  options: {
    readonly schema: S;
    readonly key: Columns<S> | readonly Columns<S>[];
    readonly eventTime: Columns<S>;
    readonly order?: Columns<S>;
    readonly accept: readonly Acceptance[];
    readonly owner?: string;
    readonly description?: string;
  },
): TableSource<N, S> {
  const { schema, eventTime, order = null, accept, owner = "", description = "" } = options;
  const key: readonly string[] = typeof options.key === "string" ? [options.key] : options.key;
  return { kind: "table_source", name, schema, key, order, eventTime, accept, owner, description };
}

type Shape<S> = S extends EventSource<string, infer Z> ? Z["shape"] : never;
type Prefixed<S extends EventSource> = {
  readonly [C in keyof Shape<S> & string as `${S["name"]}__${C}`]: Shape<S>[C];
};

/** Columns on which events of two sources meet: of the left source → of the right one. */
type Pairing<L extends EventSource, R extends EventSource> =
  | (Columns<L["schema"]> & Columns<R["schema"]>)
  | readonly (Columns<L["schema"]> & Columns<R["schema"]>)[]
  | { readonly [C in Columns<L["schema"]>]?: Columns<R["schema"]> };

type LeftColumns<O> = O extends string
  ? O
  : O extends readonly (infer C)[]
    ? C & string
    : keyof O & string;

/** What a pair's record holds: the columns of `on`, and both events' under their source's name. */
export type PairSchema<L extends EventSource, R extends EventSource, O> = z.ZodObject<
  Prefixed<L> & Prefixed<R> & Pick<Shape<L>, LeftColumns<O> & keyof Shape<L>>
>;

/** All pairs of two sources' events of which the right one follows the left one. */
export interface JoinedSource<N extends string = string, S extends z.ZodObject = z.ZodObject> {
  readonly kind: "joined_source";
  readonly name: N;
  readonly schema: S;
  readonly left: EventSource;
  readonly right: EventSource;
  readonly on: readonly { readonly left: string; readonly right: string }[];
  readonly within: Duration;
  readonly fanOut: number;
  readonly eventTime: string;
  readonly owner: string;
  readonly description: string;
}

/** The most left events that one right event is paired with, where a join does not say. */
export const DEFAULT_FAN_OUT = 100;

/**
 * Declares the pairs of a left and a right event with equal `on` columns and 0 ≤ right − left ≤
 * `within`. A pair happens when its right event does. A right event is paired with at most `fanOut`
 * left ones, the latest before it: 1 credits the last touch. Columns are `left__column` and
 * `right__column`, and those of `on` under the left one's own name.
 */
export function joined<
  const N extends string,
  L extends EventSource,
  R extends EventSource,
  const O extends Pairing<L, R>,
>(
  name: N,
  left: L,
  right: R,
  options: {
    readonly on: O;
    readonly within: Duration;
    readonly fanOut?: number;
    readonly owner?: string;
    readonly description?: string;
  },
): JoinedSource<N, PairSchema<L, R, O>> {
  const { within, fanOut = DEFAULT_FAN_OUT, owner = "", description = "" } = options;
  const on = pairsOf(options.on);
  const schema = z.object({
    ...Object.fromEntries(
      on.flatMap(({ left: column }) => {
        const field = (left.schema.shape as Partial<z.ZodRawShape>)[column];
        return field === undefined ? [] : [[column, field]];
      }),
    ),
    ...prefixed(left),
    ...prefixed(right),
  }) as PairSchema<L, R, O>;
  const eventTime = `${right.name}__${right.eventTime}`;
  return {
    kind: "joined_source",
    name,
    schema,
    left,
    right,
    on,
    within,
    fanOut,
    eventTime,
    owner,
    description,
  };
}

const prefixed = ({ name, schema }: EventSource) =>
  Object.fromEntries(Object.entries(schema.shape).map(([c, field]) => [`${name}__${c}`, field]));

function pairsOf(on: string | readonly string[] | object): JoinedSource["on"] {
  if (typeof on === "string") return [{ left: on, right: on }];
  if (Array.isArray(on)) return (on as readonly string[]).map((c) => ({ left: c, right: c }));
  return Object.entries(on as Readonly<Record<string, string>>).map(([left, right]) => ({
    left,
    right,
  }));
}

/** Whatever a view can be computed from. */
export type Source = EventSource | TableSource | JoinedSource;
