import { compareExact, exactOf, parseExact } from "../../src/features/exact.ts";
import { numberText } from "../../src/ingest/exact-json.ts";
import type { Decimal } from "./decimal.ts";
import { cellText, type Cell } from "./table.ts";

/** What a column of a typed table holds. */
export type Kind =
  | "BOOLEAN"
  | "INT32"
  | "INT64"
  | "DOUBLE"
  | Decimal
  | "STRING"
  | "TIMESTAMP"
  | "JSON";

/** A column that a table declares, of the kind that it says; null where only its cells show it. */
export interface DeclaredColumn {
  readonly name: string;
  readonly kind: Kind | null;
}

const isInt32 = (value: number): boolean => (value | 0) === value && !Object.is(value, -0);

const isInt64 = (value: bigint): boolean => BigInt.asIntN(64, value) === value;

/** Pure. Whether a double holds what is written: of whole numbers, as far as it counts safely. */
export function keepsDigits(digits: string): boolean {
  const double = Number(digits);
  if (/^-?\d+$/.test(digits)) return Number.isSafeInteger(double);
  const written = parseExact(digits);
  if (!written.ok || !Number.isFinite(double)) return false;
  return compareExact(written.value, exactOf(String(double))) === 0;
}

/** The kind of a number that is written with other digits than a double's. */
function kindOfDigits(digits: string): Kind {
  if (/^-?\d+$/.test(digits) && isInt64(BigInt(digits))) return "INT64";
  return keepsDigits(digits) ? "DOUBLE" : "STRING";
}

/** Pure. The kind of one cell; null for nothing. */
function kindOf(cell: Cell): Kind | null {
  if (cell === null || cell === undefined) return null;
  if (typeof cell === "boolean") return "BOOLEAN";
  if (typeof cell === "bigint") return "INT64";
  if (typeof cell === "number") return isInt32(cell) ? "INT32" : "DOUBLE";
  if (cell instanceof Date) return "TIMESTAMP";
  const digits = numberText(cell);
  if (digits !== null) return kindOfDigits(digits);
  return typeof cell === "object" ? "JSON" : "STRING";
}

/** Pure. The kind that holds both; text where none does without loss. */
function widen(a: Kind, b: Kind): Kind {
  if (a === b) return a;
  const both = new Set([a, b]);
  if (both.has("INT32") && both.has("DOUBLE")) return "DOUBLE";
  if (both.has("INT32") && both.has("INT64")) return "INT64";
  return both.has("JSON") ? "JSON" : "STRING";
}

/** The kinds of columns, as their cells are seen. */
export type Kinds = Map<string, Kind | null>;

/** Notes the cells of a row. */
export function noteKinds(kinds: Kinds, cells: Readonly<Record<string, Cell>>): void {
  for (const [name, cell] of Object.entries(cells)) {
    const known = kinds.get(name) ?? null;
    const kind = kindOf(cell);
    if (known === null) kinds.set(name, kind);
    else if (kind !== null && kind !== known) kinds.set(name, widen(known, kind));
  }
}

/** Pure. The cell as a column of that kind keeps it; null for nothing. */
export function cellOfKind(cell: Cell, kind: Kind): Cell {
  if (cell === null || cell === undefined) return null;
  const digits = typeof cell === "object" ? numberText(cell) : null;
  if (kind === "INT64") return typeof cell === "bigint" ? cell : BigInt(digits ?? (cell as number));
  if (kind === "DOUBLE" && digits !== null) return Number(digits);
  if (kind.startsWith("DECIMAL")) return digits === null ? cell : BigInt(digits.replace(".", ""));
  return kind === "STRING" ? cellText(cell) : cell;
}
