// A program for local-kill.test.ts: writes rows into the embedded Postgres in the directory that
// it is given, and prints the number of each when it has been acknowledged, until it is killed.
import { openPglite } from "../../local/pglite-backend.ts";

const backend = await openPglite({ dataDir: process.argv[2] ?? "" });
const run = (text: string, params: readonly string[] = []) => backend.query({ text, params });
await run("CREATE TABLE IF NOT EXISTS numbered (n int PRIMARY KEY, filling text)");
const { rows } = await run("SELECT coalesce(max(n), 0) FROM numbered");
for (let n = Number(rows[0]?.[0]) + 1; ; n++) {
  await run("INSERT INTO numbered SELECT $1::int, repeat(md5($1::text), 200)", [String(n)]);
  process.stdout.write(`${n}\n`);
}
