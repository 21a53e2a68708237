import type { z } from "zod";
import type { FieldError } from "../../src/errors.ts";
import type { HistoryRow } from "../../src/features/history/prepare-row.ts";
import { numberText, parseExactJson } from "../../src/ingest/exact-json.ts";
import { err, ok, type Result } from "../../src/result.ts";
import { parseInstant } from "../../src/time.ts";
import { keepsDigits } from "../tables/kind.ts";
import { cellText, type Cell } from "../tables/table.ts";
import type { TrainingSet } from "./training-set.ts";

const KNOWN_AT = "known_at";

/** Pure. Whether a cell holds nothing: CSV has no other way to say so than an empty one. */
const isEmpty = (cell: Cell): boolean => cell === null || cell === undefined || cell === "";

function instantOf(cell: Cell, path: string): Result<number, FieldError> {
  const digits = typeof cell === "bigint" ? String(cell) : numberText(cell);
  const value =
    cell instanceof Date
      ? cell.getTime()
      : digits !== null
        ? Number(digits)
        : typeof cell === "string" && /^-?\d+$/.test(cell)
          ? Number(cell)
          : cell;
  if (isEmpty(value)) return err({ path, code: "missing", detail: "there is no time" });
  if (typeof value !== "number" && typeof value !== "string") {
    return err({ path, code: "invalid_type", detail: "expected a time" });
  }
  const instant = parseInstant(value);
  return instant.ok ? instant : err({ path, code: "invalid_time", detail: instant.error });
}

/** A key as clients send it: numbers that a double cannot hold as text. */
function keyCell(cell: Cell): string | number {
  if (cell instanceof Date) return cell.toISOString();
  if (typeof cell === "number" || typeof cell === "string") return cell;
  return numberText(cell) ?? cellText(cell);
}

/** Pure. What text may stand for, where a table has no types. */
const meaningsOfText = (text: string): readonly unknown[] => [
  text,
  ...(/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text) ? [Number(text)] : []),
  ...(/^(true|false)$/i.test(text) ? [text.toLowerCase() === "true"] : []),
];

/**
 * Pure. What a number may stand for: a double where that keeps its value, else its digits. The
 * double comes last in any case, since a client's JSON number would be no more.
 */
function meaningsOfDigits(digits: string): readonly unknown[] {
  const double = Number(digits);
  const exact = /^-?\d+$/.test(digits) ? [digits, BigInt(digits)] : [digits];
  return [...(keepsDigits(digits) ? [double] : []), ...exact, double];
}

/** Pure. What a cell may stand for in a request, the likeliest first. */
function meaningsOf(cell: Cell): readonly unknown[] {
  if (typeof cell === "string") return meaningsOfText(cell);
  if (cell instanceof Date) return meaningsOfText(cell.toISOString());
  if (typeof cell === "bigint") return meaningsOfDigits(String(cell));
  const digits = typeof cell === "object" ? numberText(cell) : null;
  return digits === null ? [cell] : meaningsOfDigits(digits);
}

/** A cell as the on-demand views' schemas take it; the likeliest where they take nothing like it. */
function requestCell({ selection }: TrainingSet, name: string, cell: Cell): unknown {
  const meanings = meaningsOf(cell);
  const schema = selection.onDemand
    .map(({ request }) => request.shape[name] as z.ZodType | undefined)
    .find((one) => one !== undefined);
  if (schema === undefined) return meanings[0];
  return meanings.find((meaning) => schema.safeParse(meaning).success) ?? meanings[0];
}

/** The version of an online answer, by view: an object, or its JSON where a table has none. */
function versionOf(cell: Cell, path: string): Result<Record<string, string>, FieldError> {
  const parsed = typeof cell === "string" ? parseExactJson(cell) : ok<unknown>(cell);
  const value = parsed.ok ? parsed.value : null;
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  if (isObject && Object.values(value).every((one) => typeof one === "string")) {
    return ok(value as Record<string, string>);
  }
  const detail = 'expected the version of an online answer, as {"customer_spend":"1.17"}';
  return err({ path, code: "invalid_version", detail });
}

/** Pure. A row of the spine as history is asked for it, or everything that is wrong with it. */
export function historyRowOf(
  set: TrainingSet,
  cells: Readonly<Record<string, Cell>>,
): Result<HistoryRow, readonly FieldError[]> {
  const filled = (names: readonly string[]) => names.filter((name) => !isEmpty(cells[name]));
  const at = instantOf(cells[set.atColumn], set.atColumn);
  const knownAt = isEmpty(cells[KNOWN_AT]) ? null : instantOf(cells[KNOWN_AT], KNOWN_AT);
  const { versionColumn } = set;
  const versions = versionColumn === null ? null : cells[versionColumn];
  const version =
    versionColumn === null || isEmpty(versions) ? null : versionOf(versions, versionColumn);
  const errors = [at, knownAt, version].flatMap((one) =>
    one === null || one.ok ? [] : [one.error],
  );
  for (const path of set.neededOfRequest) {
    if (!isEmpty(cells[path])) continue;
    errors.push({ path, code: "missing", detail: "on-demand features need it, and it is empty" });
  }
  if (!at.ok || knownAt?.ok === false || version?.ok === false || errors.length > 0) {
    return err(errors);
  }
  return ok({
    entity: Object.fromEntries(filled(set.keyColumns).map((name) => [name, keyCell(cells[name])])),
    at: at.value,
    knownAt: knownAt?.value,
    version: version?.value,
    request: Object.fromEntries(
      filled(set.requestColumns).map((name) => [name, requestCell(set, name, cells[name])]),
    ),
  });
}
