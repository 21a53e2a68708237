import { randomBytes } from "node:crypto";
import { Client } from "pg";

/** A database of a benchmark's own; `url` is absent where there is no server, only the embedded one. */
export interface OwnDatabase {
  readonly url: string | undefined;
  /** Drops it; whoever is connected still is cut off. */
  drop(): Promise<void>;
}

/** Makes a database on the server of DATABASE_URL, if that is set. */
export async function makeDatabase(): Promise<OwnDatabase> {
  const server = process.env["DATABASE_URL"];
  if (server === undefined) return { url: undefined, drop: async () => undefined };
  const name = `freshet_bench_${randomBytes(6).toString("hex")}`;
  const administer = async (statement: string): Promise<void> => {
    const client = new Client({ connectionString: server });
    await client.connect();
    try {
      await client.query(statement);
    } finally {
      await client.end();
    }
  };
  await administer(`CREATE DATABASE ${name}`);
  const own = new URL(server);
  own.pathname = `/${name}`;
  return { url: own.href, drop: () => administer(`DROP DATABASE ${name} WITH (FORCE)`) };
}
