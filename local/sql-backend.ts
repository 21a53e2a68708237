import type { PoolClient } from "pg";

/** One statement with its parameters in Postgres' text format. */
export interface SqlQuery {
  readonly text: string;
  readonly params: readonly (string | null)[];
}

/** A column of a result, in the words of the wire protocol. */
export interface SqlField {
  readonly name: string;
  readonly tableID: number;
  readonly columnID: number;
  readonly dataTypeID: number;
  readonly dataTypeSize: number;
  readonly dataTypeModifier: number;
  readonly format: string;
}

/** What one statement gave: every value as the text that the server sent, or null. */
export interface SqlResult {
  readonly command: string;
  readonly rowCount: number | null;
  readonly fields: readonly SqlField[];
  readonly rows: readonly (readonly (string | null)[])[];
}

export type IsolationLevel =
  | "READ UNCOMMITTED"
  | "READ COMMITTED"
  | "REPEATABLE READ"
  | "SERIALIZABLE";

/** How a batch's transaction begins; what is absent is the server's default. */
export interface BatchOptions {
  readonly isolationLevel?: IsolationLevel;
  readonly readOnly?: boolean;
  readonly deferrable?: boolean;
}

/** A Postgres that the SQL façade can stand before: the embedded one or a real server. */
export interface SqlBackend {
  readonly kind: "embedded" | "server";
  /** The server's `server_version`, such as `18.6`. */
  readonly version: string;
  /** The version of pgvector that is installed or would be. */
  readonly pgvector: string;
  /** Runs one statement by itself. Rejects with pg's `DatabaseError`. */
  query(query: SqlQuery): Promise<SqlResult>;
  /** Runs the statements as one transaction: all of them or, on any error, none. */
  batch(queries: readonly SqlQuery[], options: BatchOptions): Promise<readonly SqlResult[]>;
  /** Lends a connection of its own, for what needs a session: migrations and locks. */
  withClient<T>(use: (client: PoolClient) => Promise<T>): Promise<T>;
  /** Does what the embedded server has no background process for; nothing on a real one. */
  maintain(): Promise<void>;
  close(): Promise<void>;
}
