import { specificationHash } from "../features/specification-hash.ts";
import { DefinitionError } from "../features/fields.ts";
import { checkName } from "../features/names.ts";
import type { Chunking, Collection, EmbedderSpec, FilterKind, Language } from "./define.ts";
import type { VectorSpace } from "./embedder.ts";

export interface FilterField {
  readonly name: string;
  readonly kind: FilterKind;
}

/** A collection compiled. */
export interface CollectionPlan {
  readonly name: string;
  readonly embedder: EmbedderSpec;
  /** Null where there is one text field only. */
  readonly titleField: string | null;
  /** Text fields without the title, at least one. */
  readonly textFields: readonly string[];
  readonly language: Language;
  readonly chunk: Chunking;
  readonly fields: readonly FilterField[];
  /** Everything that decides what the index holds, but for the vectors' origin. */
  readonly spec: string;
  readonly owner: string;
  readonly description: string;
}

/** Raised when analysis, chunking or hashing gives other results than before for the same text. */
const INDEX_FORMAT = 1;

/** Names of a document that are not its fields, and words of filters. */
const RESERVED = ["id", "vector", "expires_at", "version", "chunks", "and", "or", "not"];
const FIELD = /^[A-Za-z_][A-Za-z0-9_]{0,62}$/;
/** What pgvector can index as halfvec. */
const MAX_DIMENSIONS = 4_000;

/** Pure. Checks and compiles a collection. Throws a DefinitionError that says what to change. */
export function compileCollection(collection: Collection): CollectionPlan {
  const { name, embedder, text, language, chunk, fields, owner, description } = collection;
  checkName("collection", name);
  checkFields(name, [...text, ...Object.keys(fields)]);
  const { dimensions } = embedder;
  if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > MAX_DIMENSIONS) {
    throw new DefinitionError(
      `collection "${name}": an embedder has 1 to ${MAX_DIMENSIONS} dimensions, not ${dimensions}`,
    );
  }
  if (embedder.kind === "client" && chunk !== "none") {
    throw new DefinitionError(
      `collection "${name}": a client gives one vector for a document, so write chunk: "none"`,
    );
  }
  if (chunk !== "none" && !(Number.isInteger(chunk.tokens) && inRange(chunk.tokens, 16, 2_000))) {
    throw new DefinitionError(
      `collection "${name}": chunks have 16 to 2,000 tokens, not ${chunk.tokens}`,
    );
  }
  const [title = "", ...rest] = text;
  const filterFields = Object.entries(fields).map(([field, kind]) => ({ name: field, kind }));
  return {
    name,
    embedder,
    titleField: rest.length === 0 ? null : title,
    textFields: rest.length === 0 ? [title] : rest,
    language,
    chunk,
    fields: filterFields,
    spec: JSON.stringify({ format: INDEX_FORMAT, name, text, language, chunk, fields }),
    owner,
    description,
  };
}

const inRange = (value: number, least: number, most: number): boolean =>
  value >= least && value <= most;

function checkFields(name: string, fields: readonly string[]): void {
  if (fields.length === 0 || new Set(fields).size < fields.length) {
    throw new DefinitionError(
      `collection "${name}": it has at least one text field, and each of its fields once`,
    );
  }
  const wrong = fields.find((f) => !FIELD.test(f) || RESERVED.includes(f) || f in Object.prototype);
  if (wrong === undefined) return;
  throw new DefinitionError(
    `collection "${name}", field "${wrong}": a field's name is letters, digits and _, at most 63, ` +
      `and none of ${RESERVED.join(", ")}`,
  );
}

/** Names the index of a collection: `helpdesk@0123456789abcdef`. Other embedder, other index. */
export const indexIdOf = (plan: CollectionPlan, { identity }: Pick<VectorSpace, "identity">) =>
  `${plan.name}@${specificationHash(`${plan.spec}\n${identity}`)}`;
