import { AppError } from "../../src/errors.ts";
import { createSqlClient, type SqlClient } from "../../src/platform/neon/sql-client.ts";
import { UsageError } from "../args.ts";
import { readIn, type Surroundings } from "./secrets.ts";

export interface Database extends SqlClient {
  /** Where it is, for people; holds no password. */
  readonly where: string;
  /** Whether it is the local stack's. */
  readonly local: boolean;
}

interface Stack {
  readonly sqlUrl: string;
  readonly connectionString: string;
}

const NEON_HOST = /\.neon\.tech$/;
const TIMEOUT_MS = 15_000;
const LOCAL = "the local database";

/** Pure. Of a DATABASE_URL that no command can ask, why; the name may hold no password. */
const isNotNeon = (url: string, host: string): string =>
  url === ""
    ? ""
    : ` DATABASE_URL names ${host === "" ? "no host" : host}, which is no Neon database ` +
      "(….neon.tech): commands speak Neon's protocol over HTTPS, so it is not asked.";

/**
 * The database that a command works on: the Neon database of DATABASE_URL in the environment, or
 * that of the local stack, through its façade. Throws a UsageError where there is neither.
 */
export async function connectDatabase(surroundings: Surroundings): Promise<Database> {
  const url = surroundings.env["DATABASE_URL"] ?? "";
  const host = URL.parse(url)?.hostname ?? "";
  if (NEON_HOST.test(host)) {
    const client = createSqlClient({ connectionString: url, timeoutMs: TIMEOUT_MS });
    return naming(client, `the database at ${host}`);
  }
  const stack = await readIn(
    surroundings.root,
    ".freshet/stack.json",
    (text) => JSON.parse(text) as Stack,
  );
  if (stack === undefined) {
    throw new UsageError(
      "No database: start the local stack (npm start), or set DATABASE_URL to a Neon database." +
        isNotNeon(url, host),
    );
  }
  const { connectionString, sqlUrl: fetchEndpoint } = stack;
  const client = createSqlClient({ connectionString, fetchEndpoint, timeoutMs: TIMEOUT_MS });
  return naming(client, LOCAL, isNotNeon(url, host));
}

/** Says which database did not answer, since a command may have meant another. */
function naming(client: SqlClient, where: string, notAsked = ""): Database {
  const local = where === LOCAL;
  const named = async <T>(asked: Promise<T>): Promise<T> => {
    try {
      return await asked;
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      const down = local ? ` Does the local stack run (npm start)?${notAsked}` : "";
      const hint = error.code === "internal" ? " Is it up to date (npm run migrate)?" : down;
      throw new AppError(error.code, `Asked ${where}: ${error.message}${hint}`, { cause: error });
    }
  };
  return {
    where,
    local,
    query: (text, params) => named(client.query(text, params)),
    batch: (statements) => named(client.batch(statements)),
  };
}
