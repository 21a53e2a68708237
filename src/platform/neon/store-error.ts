import { NeonDbError } from "@neondatabase/serverless";
import { AppError } from "../../errors.ts";
import { RejectedByStore } from "../../features/event-log.ts";

/** Data exceptions, broken constraints, and values too large for an index or a row. */
const DATA_REFUSED = /^(22|23|54)/;
/** The statement is wrong or the schema is another one; no data and no waiting helps. */
const STATEMENT_WRONG = /^(0A|21|2F|39|42|44)/;

/**
 * Pure. What a failed statement means, in our words: the vendor's message holds values, parameters
 * and at worst the connection string, and goes nowhere.
 */
export function storeError(error: unknown): AppError | RejectedByStore {
  const sqlState = sqlStateOf(error);
  const cause = new Error(`Postgres: ${sqlState ?? reasonOf(error)}`);
  if ((sqlState !== undefined && DATA_REFUSED.test(sqlState)) || isTooLarge(error)) {
    return new RejectedByStore("The database refused the data.", { cause });
  }
  if (sqlState !== undefined && STATEMENT_WRONG.test(sqlState)) {
    return new AppError("internal", "The database could not run the statement.", { cause });
  }
  const why =
    sqlState === LOCK_HELD
      ? "A long transaction, such as a backup, holds what is to be changed."
      : "The database does not answer.";
  return new AppError("dependency_unavailable", why, { cause });
}

/** A lock was not had within the time that the transaction gave it. */
const LOCK_HELD = "55P03";

/** Pure. Whether the statement lost to another one and was rolled back: it may be sent again. */
export function isRolledBackRace(error: unknown): boolean {
  return ["40P01", "40001", LOCK_HELD].includes(sqlStateOf(error) ?? "");
}

/** Pure. Whether a refusal of `storeError` is a constraint's, not a value's. */
export function isBrokenConstraint({ cause }: RejectedByStore): boolean {
  return cause instanceof Error && cause.message.startsWith("Postgres: 23");
}

/** No waiting helps here either, but a smaller batch does. */
function isTooLarge(error: unknown): boolean {
  return error instanceof NeonDbError && error.message.startsWith("Server error (HTTP status 413)");
}

function sqlStateOf(error: unknown): string | undefined {
  return error instanceof NeonDbError ? error.code : undefined;
}

function reasonOf(error: unknown): string {
  const source = error instanceof NeonDbError ? (error.sourceError ?? error) : error;
  return source instanceof Error ? source.name : typeof source;
}
