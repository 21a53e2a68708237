import { cellText, type Cell } from "./table.ts";

/** What a column of a typed table holds. */
export type Kind = "BOOLEAN" | "INT32" | "INT64" | "DOUBLE" | "STRING" | "TIMESTAMP" | "JSON";

const isInt32 = (value: number): boolean => (value | 0) === value && !Object.is(value, -0);

/** Pure. The kind of one cell; null for nothing. */
function kindOf(cell: Cell): Kind | null {
  if (cell === null || cell === undefined) return null;
  if (typeof cell === "boolean") return "BOOLEAN";
  if (typeof cell === "bigint") return "INT64";
  if (typeof cell === "number") return isInt32(cell) ? "INT32" : "DOUBLE";
  if (cell instanceof Date) return "TIMESTAMP";
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
  if (kind === "INT64") return typeof cell === "bigint" ? cell : BigInt(cell as number);
  return kind === "STRING" ? cellText(cell) : cell;
}
