import { definitions } from "../definitions/index.ts";
import { compileDeployment } from "../src/deployment.ts";
import { DefinitionError } from "../src/features/fields.ts";
import { createVault } from "../src/governance/vault.ts";
import { createIndexRegistry } from "../src/platform/neon/index-registry.ts";
import { parseArgs, processTerminal, runCommand, UsageError } from "./args.ts";
import { applyIndexes } from "./apply-indexes.ts";
import { applyRegistry } from "./apply-registry.ts";
import { connectDatabase } from "./support/database.ts";
import { connectOnline } from "./support/online.ts";
import { findSecret } from "./support/secrets.ts";

const USAGE = `Applies the definitions in definitions/ to a database and its online store.

  npm run apply

Registers new and changed views as immutable versions, builds them from the events that are there
already, and then lets the Worker answer with them. Registers the indexes of collections too, and
waits until the Worker has put all documents into those that are new. Safe to repeat, to interrupt
and to run while events and documents arrive. It works on the running local stack, or on the
deployment whose DATABASE_URL, UPSTASH_REDIS_REST_URL, UPSTASH_REDIS_REST_TOKEN and
ENCRYPTION_SECRET are in the environment. Not to be run twice at once.`;

const surroundings = { env: process.env, root: `${import.meta.dirname}/..` };

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs(args, {});
  if (values.help === true) {
    processTerminal.print(USAGE);
    return 0;
  }
  if (positionals.length > 0) throw new UsageError(`apply takes no "${positionals[0]}"`);
  const client = await connectDatabase(surroundings);
  const online = await connectOnline(surroundings);
  const { registry, collections } = compileDeployment(definitions);
  const secret = await findSecret("ENCRYPTION_SECRET", surroundings);
  if (secret === null) {
    throw new UsageError("No ENCRYPTION_SECRET in the environment, .dev.vars or .freshet.");
  }
  const vault = createVault(secret.value);
  const print = (line: string): void => processTerminal.print(line);
  await applyRegistry({ vault, registry, client, online, print });
  const indexes = createIndexRegistry(client);
  const built = await applyIndexes({ collections, indexes, local: client.local, print });
  if (built) print(`Applied to ${client.where}.`);
  return built ? 0 : 1;
}

process.exitCode = await runCommand(processTerminal, "npm run apply -- --help", async () => {
  try {
    return await run(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof DefinitionError)) throw error;
    processTerminal.tell(error.message);
    return 1;
  }
});
