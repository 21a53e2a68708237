import { randomBytes } from "node:crypto";
import { Client } from "pg";

/** A database of a benchmark's own; `url` is absent where there is no server, only the embedded one. */
export interface OwnDatabase {
  readonly url: string | undefined;
  /** Drops it; whoever is connected still is cut off. */
  drop(): Promise<void>;
}

/** Makes a database on the server of DATABASE_URL, if that is set; Ctrl-C drops it, too. */
export async function makeDatabase(): Promise<OwnDatabase> {
  const server = process.env["DATABASE_URL"];
  if (server === undefined) return { url: undefined, drop: async () => undefined };
  const name = `freshet_bench_${randomBytes(6).toString("hex")}`;
  await administer(server, `CREATE DATABASE ${name}`);
  const own = new URL(server);
  own.pathname = `/${name}`;
  const drop = (): Promise<void> =>
    administer(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  const interrupted = (): void => void drop().finally(() => process.exit(130));
  process.once("SIGINT", interrupted);
  return {
    url: own.href,
    drop() {
      process.off("SIGINT", interrupted);
      return drop();
    },
  };
}

async function administer(server: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: server });
  try {
    await client.connect();
    await client.query(statement);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `The Postgres of DATABASE_URL does not work: ${why}. Start it, correct DATABASE_URL, or ` +
        "unset it to measure with the embedded one.",
      { cause },
    );
  } finally {
    await client.end();
  }
}
