import { timingSafeEqual } from "node:crypto";
import { DatabaseError } from "pg";
import {
  startFacadeServer,
  type FacadeOptions,
  type FacadeRequest,
  type FacadeResponse,
  type FacadeServer,
} from "./facade-server.ts";
import { NodeBuffer } from "./node-buffer.ts";
import { randomSecret } from "./random-secret.ts";
import type {
  BatchOptions,
  IsolationLevel,
  SqlBackend,
  SqlQuery,
  SqlResult,
} from "./sql-backend.ts";

/** Stands for one host in the connection string; the driver insists on a name, nothing resolves it. */
const USER = "freshet";
const HOST = "db.localhost";

export interface SqlFacadeOptions extends FacadeOptions {
  readonly backend: SqlBackend;
  /** The password in the connection string; made up when absent. */
  readonly password?: string;
}

export interface SqlFacade extends FacadeServer {
  /** What `neonConfig.fetchEndpoint` must be; `url` with the path. */
  readonly sqlUrl: string;
  /** What `neon()` is given. */
  readonly connectionString: string;
}

const ISOLATION_LEVELS: Readonly<Record<string, IsolationLevel>> = {
  ReadUncommitted: "READ UNCOMMITTED",
  ReadCommitted: "READ COMMITTED",
  RepeatableRead: "REPEATABLE READ",
  Serializable: "SERIALIZABLE",
};

/** The fields of an error that Neon's driver copies onto its NeonDbError. */
const ERROR_FIELDS = [
  "severity",
  "code",
  "detail",
  "hint",
  "position",
  "internalPosition",
  "internalQuery",
  "where",
  "schema",
  "table",
  "column",
  "dataType",
  "constraint",
  "file",
  "line",
  "routine",
] as const;

/** A request that is refused before any SQL is run. */
class Refusal extends Error {
  readonly code: string;
  constructor(message: string, code: string) {
    super(message);
    this.code = code;
  }
}

function refused(error: Refusal): FacadeResponse {
  const { message, code } = error;
  return { status: 400, body: JSON.stringify({ message, code, severity: "FATAL" }) };
}

function failed(error: unknown): FacadeResponse {
  if (error instanceof DatabaseError) {
    const fields = Object.fromEntries(ERROR_FIELDS.map((name) => [name, error[name] ?? null]));
    return { status: 400, body: JSON.stringify({ message: error.message, ...fields }) };
  }
  const message = error instanceof Error ? error.message : String(error);
  return { status: 503, body: JSON.stringify({ message: `Postgres does not answer: ${message}` }) };
}

function checkPassword(header: string | string[] | undefined, password: string): void {
  const url = URL.parse(String(header ?? ""));
  const given = NodeBuffer.from(decodeURIComponent(url?.password ?? ""));
  const wanted = NodeBuffer.from(password);
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    const user = url?.username ?? "";
    throw new Refusal(`password authentication failed for user '${user}'`, "28P01");
  }
}

/** A parameter as Postgres' text format wants it; the driver itself sends only text and null. */
function asParam(value: unknown): string | null {
  if (value === null || value === undefined) return null;
  return typeof value === "string" ? value : JSON.stringify(value);
}

function asQuery(value: unknown): SqlQuery {
  const { query, params } = (value ?? {}) as { query?: unknown; params?: unknown };
  if (typeof query !== "string") throw new Refusal("query must be a string", "08P01");
  return { text: query, params: Array.isArray(params) ? params.map(asParam) : [] };
}

function asBody(body: string): { readonly query?: unknown; readonly queries?: unknown } {
  try {
    return (JSON.parse(body) ?? {}) as { query?: unknown; queries?: unknown };
  } catch {
    throw new Refusal("The body is not JSON", "08P01");
  }
}

function batchOptions({ headers }: FacadeRequest): BatchOptions {
  const level = headers["neon-batch-isolation-level"];
  const readOnly = headers["neon-batch-read-only"];
  const deferrable = headers["neon-batch-deferrable"];
  const isolationLevel = ISOLATION_LEVELS[String(level)];
  if (level !== undefined && isolationLevel === undefined) {
    throw new Refusal(`There is no isolation level ${String(level)}`, "08P01");
  }
  return {
    ...(isolationLevel !== undefined && { isolationLevel }),
    ...(readOnly !== undefined && { readOnly: readOnly === "true" }),
    ...(deferrable !== undefined && { deferrable: deferrable === "true" }),
  };
}

function asObject(names: readonly string[], row: readonly (string | null)[]): object {
  return Object.fromEntries(
    names.map((name, i): [string, string | null] => [name, row[i] ?? null]),
  );
}

function asJson(result: SqlResult, rowAsArray: boolean): unknown {
  const names = result.fields.map((field) => field.name);
  const rows = rowAsArray ? result.rows : result.rows.map((row) => asObject(names, row));
  return { ...result, rows, rowAsArray };
}

async function answer(
  backend: SqlBackend,
  password: string,
  request: FacadeRequest,
): Promise<FacadeResponse> {
  if (request.method !== "POST" || request.path !== "/sql") {
    return { status: 404, body: '{"message":"There is only POST /sql."}' };
  }
  try {
    checkPassword(request.headers["neon-connection-string"], password);
    const rowAsArray = request.headers["neon-array-mode"] === "true";
    const body = asBody(request.body);
    if (Array.isArray(body.queries)) {
      const results = await backend.batch(body.queries.map(asQuery), batchOptions(request));
      const json = { results: results.map((result) => asJson(result, rowAsArray)) };
      return { status: 200, body: JSON.stringify(json) };
    }
    const result = await backend.query(asQuery(body));
    return { status: 200, body: JSON.stringify(asJson(result, rowAsArray)) };
  } catch (error) {
    return error instanceof Refusal ? refused(error) : failed(error);
  }
}

/**
 * Serves `backend` as Neon serves its databases over HTTP, to `@neondatabase/serverless`'s
 * `neon()`: POST /sql with one statement or a batch, results as text, errors as 400 with the
 * server's fields. The connection string's password is the credential.
 */
export async function startSqlFacade(options: SqlFacadeOptions): Promise<SqlFacade> {
  const { backend, password = randomSecret(), ...rest } = options;
  const server = await startFacadeServer(rest, (request) => answer(backend, password, request));
  return {
    ...server,
    sqlUrl: `${server.url}/sql`,
    connectionString: `postgresql://${USER}:${encodeURIComponent(password)}@${HOST}/freshet`,
  };
}
