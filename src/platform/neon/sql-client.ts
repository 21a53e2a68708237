import { neon, neonConfig } from "@neondatabase/serverless";
import { RejectedByStore } from "../../features/event-log.ts";
import { isRolledBackRace, storeError } from "./store-error.ts";

export type SqlParam =
  | string
  | number
  | boolean
  | null
  | readonly (string | null)[]
  | readonly (number | null)[];

/** `bigint`, `numeric` and everything else without a type of its own come as text. */
export type SqlRow = Readonly<Record<string, string | number | boolean | null>>;

export interface SqlStatement {
  readonly text: string;
  readonly params: readonly SqlParam[];
}

export interface SqlClient {
  /**
   * One statement, which commits on its own, in one round trip. Throws RejectedByStore when the
   * data is refused, AppError `dependency_unavailable` when the database is down or too slow (it
   * may have committed), and AppError `internal` when the statement itself is wrong.
   */
  query(text: string, params: readonly SqlParam[]): Promise<readonly SqlRow[]>;
  /**
   * Statements in one transaction and one round trip: all of them or none. Each sees what was
   * committed before it began (READ COMMITTED). Answers each one's rows; throws as `query` does.
   */
  batch(statements: readonly SqlStatement[]): Promise<readonly (readonly SqlRow[])[]>;
}

export interface SqlClientOptions {
  readonly connectionString: string;
  /** Where SQL is sent; by default Neon's endpoint of the connection string's host. */
  readonly fetchEndpoint?: string;
  /** Deadline of each attempt. */
  readonly timeoutMs: number;
  /** Called before each request. */
  readonly onRoundTrip?: () => void;
}

const ATTEMPTS = 5;
const RETRY_MS = 20;

/** Neon's SQL over HTTP. What lost a deadlock or a race, and so changed nothing, is sent again. */
export function createSqlClient(options: SqlClientOptions): SqlClient {
  const { connectionString, fetchEndpoint, timeoutMs, onRoundTrip } = options;
  if (fetchEndpoint !== undefined) neonConfig.fetchEndpoint = fetchEndpoint;

  const connect = () => {
    onRoundTrip?.();
    return neon(connectionString, { disableWarningInBrowsers: true });
  };
  const fetchOptions = () => ({ signal: AbortSignal.timeout(timeoutMs) });

  return {
    async query(text, params) {
      checkStorable(params);
      return attempt(
        async () =>
          (await connect().query(text, [...params], { fetchOptions: fetchOptions() })) as SqlRow[],
      );
    },

    async batch(statements) {
      for (const { params } of statements) checkStorable(params);
      return attempt(async () => {
        const sql = connect();
        const queries = statements.map(({ text, params }) => sql.query(text, [...params]));
        const isolationLevel = "ReadCommitted";
        const batch = { isolationLevel, fetchOptions: fetchOptions() } as const;
        return (await sql.transaction(queries, batch)) as SqlRow[][];
      });
    },
  };
}

async function attempt<T>(work: () => Promise<T>): Promise<T> {
  for (let left = ATTEMPTS - 1; ; left -= 1) {
    try {
      return await work();
    } catch (error) {
      if (left === 0 || !isRolledBackRace(error)) throw storeError(error);
      const waitMs = Math.random() * RETRY_MS * (ATTEMPTS - left);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
}

/** Refused here, because a proxy's refusal of such a request looks like an outage. */
function checkStorable(params: readonly SqlParam[]): void {
  if (params.every(isStorable)) return;
  throw new RejectedByStore("A text holds what a database cannot keep.");
}

function isStorable(param: SqlParam): boolean {
  if (typeof param === "string") return param.isWellFormed() && !param.includes("\0");
  return !Array.isArray(param) || param.every(isStorable);
}
