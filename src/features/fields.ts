import { z } from "zod";
import { parseExact } from "./exact.ts";

/** What a field of a source holds. Numbers of every kind are exact inside the engine. */
export type FieldKind = (typeof FIELD_KINDS)[number];
export const FIELD_KINDS = [
  "string",
  "number",
  "decimal",
  "bigint",
  "boolean",
  "time",
  "vector",
] as const;

/** How personal data is kept: as a keyed token that still joins, or not at all. */
export type PiiMode = "token" | "drop";

export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  readonly nullable: boolean;
  readonly pii: PiiMode | null;
  /** E-mail addresses are trimmed and lower-cased before they become tokens. */
  readonly email: boolean;
  /** The field with whose name its tokens are made, where that is another one. */
  readonly tokenName?: string;
  /** How many numbers a vector has. */
  readonly dimensions?: number;
  /** The most bytes that a text has in UTF-8, where its schema says so. */
  readonly maxBytes?: number;
}

/** A problem in a definition: says what is wrong and what to write instead. */
export class DefinitionError extends Error {
  override readonly name = "DefinitionError";
}

/** What `read` answers; its RangeError is one of the definition, with where it is in front. */
export function inDefinition<T>(at: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new DefinitionError(`${at}: ${error.message}`);
  }
}

const kinds = z.registry<{
  kind: "decimal" | "bigint" | "vector";
  dimensions?: number;
}>();
const personal = z.registry<{ mode: PiiMode }>();

/**
 * A decimal number of up to 38 digits, sent as a JSON number or as text, kept exactly, and
 * returned as text.
 */
export const decimal = () =>
  z
    .string()
    .refine((text) => parseExact(text).ok, { error: "expected a decimal of at most 38 digits" })
    .brand<"decimal">()
    .register(kinds, { kind: "decimal" });

/** A whole number beyond 2^53, sent as a JSON number or as text, and returned as text. */
export const bigint = () =>
  z
    .string()
    .regex(/^-?\d{1,38}$/, { error: "expected a whole number of at most 38 digits" })
    .brand<"bigint">()
    .register(kinds, { kind: "bigint" });

const MAX_DIMENSIONS = 4_096;

/** A vector of so many numbers, such as an embedding: only `vectorMean()` takes it. */
export function vector(dimensions: number) {
  if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > MAX_DIMENSIONS) {
    throw new DefinitionError(
      `vector(): a vector has 1 to ${MAX_DIMENSIONS} numbers, not ${dimensions}`,
    );
  }
  return z
    .array(z.number())
    .length(dimensions)
    .brand<"vector">()
    .register(kinds, { kind: "vector", dimensions });
}

/** Tags a text field as personal data: it is tokenised or dropped before anything is stored. */
export function pii<S extends z.ZodType>(schema: S, mode: PiiMode): S {
  personal.add(schema, { mode });
  return schema;
}

interface Unwrapped {
  readonly schema: z.core.$ZodType;
  readonly nullable: boolean;
  readonly pii: PiiMode | null;
}

function unwrap(schema: z.core.$ZodType, nullable = false, tag: PiiMode | null = null): Unwrapped {
  const mode = personal.get(schema as z.ZodType)?.mode ?? tag;
  const { def } = schema._zod;
  if (def.type === "optional" || def.type === "nullable") {
    const { innerType } = def as unknown as { innerType: z.core.$ZodType };
    return unwrap(innerType, true, mode);
  }
  return { schema, nullable, pii: mode };
}

function kindOf(schema: z.core.$ZodType): FieldKind | null {
  const declared = kinds.get(schema as z.ZodType)?.kind;
  if (declared !== undefined) return declared;
  const def = schema._zod.def as unknown as {
    readonly type: string;
    readonly format?: string;
    readonly values?: readonly unknown[];
  };
  switch (def.type) {
    case "string":
      return def.format === "datetime" ? "time" : "string";
    case "enum":
      return "string";
    case "literal":
      return def.values?.every((value) => typeof value === "string") === true ? "string" : null;
    case "number":
    case "int":
      return "number";
    case "boolean":
      return "boolean";
    default:
      return null;
  }
}

/** The longest text of formats that are ASCII, and of one length or nearly so. */
const FORMAT_BYTES: ReadonlyMap<string | undefined, number> = new Map([
  ["uuid", 36],
  ["guid", 36],
  ["ulid", 26],
  ["xid", 20],
  ["ksuid", 27],
  ["nanoid", 21],
  ["ipv4", 15],
  ["ipv6", 45],
  ["e164", 16],
  ["date", 10],
]);

/** What UTF-8 takes at most for a UTF-16 unit, of which schemas count a text's length. */
const BYTES_PER_UNIT = 3;

interface TextSchema {
  readonly format?: string;
  readonly values?: readonly string[];
  readonly entries?: Readonly<Record<string, string>>;
  readonly checks?: readonly {
    readonly _zod: { readonly def: { readonly maximum?: number; readonly length?: number } };
  }[];
}

/** Pure. The most bytes of a text that the schema allows; null where it sets no bound. */
function maxBytesOf(schema: z.core.$ZodType): number | null {
  const { format, values, entries = {}, checks = [] } = schema._zod.def as unknown as TextSchema;
  const texts = values ?? Object.values(entries);
  const encoder = new TextEncoder();
  if (texts.length > 0) return Math.max(...texts.map((text) => encoder.encode(text).length));
  const bounds = checks.flatMap(({ _zod: { def } }) => def.maximum ?? def.length ?? []);
  const bytes = [FORMAT_BYTES.get(format) ?? [], bounds.map((n) => n * BYTES_PER_UNIT)].flat();
  return bytes.length === 0 ? null : Math.min(...bytes);
}

/**
 * Pure. The fields of a source's schema, in its order. Throws a DefinitionError for a field that is
 * not flat, or a personal one that is not text.
 */
export function fieldsOf(source: string, schema: z.ZodObject): readonly Field[] {
  return Object.entries(schema.shape).map(([name, fieldSchema]) => {
    const inner = unwrap(fieldSchema as z.core.$ZodType);
    const kind = kindOf(inner.schema);
    const where = `source "${source}", field "${name}"`;
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(name) || name in Object.prototype) {
      throw new DefinitionError(
        `${where}: a field's name is letters, digits and _, at most 63, and no name that every ` +
          `object has, as "constructor"`,
      );
    }
    if (kind === null) {
      throw new DefinitionError(
        `${where}: a source holds flat records of text, numbers, booleans and times; ` +
          `map nested data to columns of their own`,
      );
    }
    if (inner.pii !== null && kind !== "string") {
      throw new DefinitionError(`${where}: pii() is for text fields; this one is a ${kind}`);
    }
    const { format } = inner.schema._zod.def as unknown as { readonly format?: string };
    const dimensions = kinds.get(inner.schema as z.ZodType)?.dimensions;
    const maxBytes = kind === "string" ? maxBytesOf(inner.schema) : null;
    return {
      name,
      kind,
      nullable: inner.nullable,
      pii: inner.pii,
      email: format === "email",
      ...(dimensions !== undefined && { dimensions }),
      ...(maxBytes !== null && { maxBytes }),
    };
  });
}
