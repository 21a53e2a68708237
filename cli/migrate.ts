import { migrate } from "../local/migrate.ts";
import { openPg, withoutPassword } from "../local/pg-backend.ts";
import { StartupError } from "../local/startup-error.ts";
import { parseArgs, processTerminal, runCommand, UsageError } from "./args.ts";

const USAGE = `Brings a database up to date with migrations/.

  DATABASE_URL=postgresql://user:password@host/database npm run migrate

Applies what the database has not had yet, all of it or, on an error, nothing. Run it before the
Worker that needs it is deployed; running it again does no harm. It connects over TCP, so for Neon
use the connection string of the branch, without "-pooler". The local stack migrates by itself.`;

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs(args, {});
  if (values.help === true) {
    processTerminal.print(USAGE);
    return 0;
  }
  if (positionals.length > 0) throw new UsageError(`migrate takes no "${positionals[0]}"`);
  const url = process.env["DATABASE_URL"];
  if (url === undefined || url === "") {
    throw new UsageError("Set DATABASE_URL to the database that is to be migrated.");
  }
  if (URL.parse(url)?.hostname.includes("-pooler.") === true) {
    throw new UsageError('DATABASE_URL names a connection pooler: take "-pooler" out of the host.');
  }
  try {
    const backend = await openPg(url);
    try {
      const applied = await migrate(backend);
      const done = applied === 1 ? "1 migration applied" : `${applied} migrations applied`;
      processTerminal.print(`${applied === 0 ? "Up to date" : done}: ${withoutPassword(url)}`);
      return 0;
    } finally {
      await backend.close();
    }
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    processTerminal.tell(error.message);
    return 1;
  }
}

process.exitCode = await runCommand(processTerminal, "npm run migrate -- --help", () =>
  run(process.argv.slice(2)),
);
