import type { FilterKind } from "./define.ts";

/** What a filter field holds; times are epoch milliseconds. */
export type FieldValue = string | number | boolean | readonly string[];
export type Scalar = string | number | boolean;
export type Comparator = "eq" | "ne" | "gt" | "gte" | "lt" | "lte";

/** A checked filter. A field that a document does not have equals nothing and is in nothing. */
export type Filter =
  | { readonly op: "and" | "or"; readonly of: readonly Filter[] }
  | { readonly op: "not"; readonly of: Filter }
  | {
      readonly op: Comparator;
      readonly field: string;
      readonly kind: FilterKind;
      readonly value: Scalar;
    }
  | {
      readonly op: "in" | "nin";
      readonly field: string;
      readonly kind: FilterKind;
      readonly values: readonly Scalar[];
    }
  | { readonly op: "exists"; readonly field: string; readonly value: boolean }
  /** Of a list: it has the value; of text: it has the value somewhere in it. */
  | {
      readonly op: "contains";
      readonly field: string;
      readonly kind: "string" | "string[]";
      readonly value: string;
    };
