import { resolve } from "node:path";
import { parseArgs } from "../cli/args.ts";
import { StartupError } from "./startup-error.ts";

export interface StartOptions {
  readonly help: boolean;
  readonly port: number;
  readonly dataDir: string;
  readonly demo: boolean;
  readonly reset: boolean;
  readonly databaseUrl: string | undefined;
  readonly redisUrl: string | undefined;
}

export const START_USAGE = `Runs everything on this machine, with the example in it.

  npm start
  npm start -- --no-demo --port 8788 --data-dir .freshet-2

  --port <n>        where the Worker listens (also: PORT=<n>); 8787 by default
  --data-dir <dir>  where everything is kept; .freshet by default
  --no-demo         without the example's payments and the report
  --reset           starts with nothing: empties the data directory, but keeps its secrets

DATABASE_URL may name a real Postgres 18 with pgvector, REDIS_URL a running Redis; the embedded
Postgres and a Redis of its own take their place. Ctrl-C lets the queue run empty and then stops
everything; a second one stops at once.`;

function readPort(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new StartupError(`"${text}" is not a port: PORT and --port take a number up to 65535.`);
}

/** A variable that is set to something. */
const setting = (text: string | undefined): string | undefined => (text === "" ? undefined : text);

/**
 * What `npm start` is to do, from its arguments and the environment. Throws a UsageError for an
 * unknown option and a StartupError for a value that makes no sense.
 */
export function readStartOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): StartOptions {
  const { values } = parseArgs(args, {
    port: { type: "string" },
    "data-dir": { type: "string" },
    "no-demo": { type: "boolean" },
    reset: { type: "boolean" },
  });
  const databaseUrl = setting(env["DATABASE_URL"]);
  const reset = values.reset === true;
  if (reset && databaseUrl !== undefined) {
    throw new StartupError(
      "--reset empties the data directory, not the database that DATABASE_URL names: empty that " +
        "yourself, or unset DATABASE_URL.",
    );
  }
  return {
    help: values.help === true,
    port: readPort(values.port ?? setting(env["PORT"]) ?? "8787"),
    dataDir: resolve(values["data-dir"] ?? ".freshet"),
    demo: values["no-demo"] !== true,
    reset,
    databaseUrl,
    redisUrl: setting(env["REDIS_URL"]),
  };
}
