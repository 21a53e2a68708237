import { checks } from "../definitions/checks.ts";
import { definitions } from "../definitions/index.ts";
import { DefinitionError } from "../src/features/fields.ts";
import { createVault } from "../src/governance/vault.ts";
import { applyDeployment } from "./apply-deployment.ts";
import { parseArgs, processTerminal, runCommand, UsageError } from "./args.ts";
import { planText } from "./plan-text.ts";
import { releaseOnSignal } from "./support/command-lease.ts";
import { connectDatabase } from "./support/database.ts";
import { connectOnline } from "./support/online.ts";
import { findSecret } from "./support/secrets.ts";

const USAGE = `Applies the definitions in definitions/ to a database and its online store.

  npm run apply -- --beside     before a deploy: builds what it will need
  npm run apply                 after it: retires what it does not need any more

Prints the plan (see npm run plan) and carries it out, without asking. Registers definitions as
immutable versions, builds new and changed views from the events that are there already, and then
lets the Worker answer with them. Registers the indexes of collections too, and waits until the
Worker has put all documents into those that are new. Refuses, before anything is changed, where a
golden case of an on-demand view fails or a check in definitions/checks.ts finds something.

With --beside, views are built beside those in use, which stay so: events go to both, reads of the
Worker that is deployed go on, and those of the next one are answered from its first moment. Until
apply is run without it, either can be deployed at any time. Collections wait for the deploy.

Safe to repeat, to interrupt and to run while events and documents arrive. Two at once do no harm:
the second one says who is at it. It works on the running local stack, or on the deployment whose
DATABASE_URL, UPSTASH_REDIS_REST_URL, UPSTASH_REDIS_REST_TOKEN and ENCRYPTION_SECRET are in the
environment. Ends with 1 where it refuses, or is not done.`;

const surroundings = { env: process.env, root: `${import.meta.dirname}/..` };

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs(args, { beside: { type: "boolean" } });
  if (values.help === true) {
    processTerminal.print(USAGE);
    return 0;
  }
  if (positionals.length > 0) throw new UsageError(`apply takes no "${positionals[0]}"`);
  const client = await connectDatabase(surroundings);
  const online = await connectOnline(surroundings);
  const secret = await findSecret("ENCRYPTION_SECRET", surroundings);
  if (secret === null) {
    throw new UsageError("No ENCRYPTION_SECRET in the environment, .dev.vars or .freshet.");
  }
  const print = (line: string): void => processTerminal.print(line);
  const outcome = await applyDeployment({
    definitions,
    checks,
    client,
    online,
    vault: createVault(secret.value),
    local: client.local,
    beside: values.beside === true,
    planLines: (plan) => [...planText(plan), ""],
    print,
    draw: process.stderr.isTTY
      ? (line) =>
          void process.stderr.write(`\r\u001B[K${line.slice(0, process.stderr.columns - 1)}`)
      : null,
    onLease: releaseOnSignal,
  });
  if (outcome === "applied") {
    print(
      values.beside === true
        ? `Ready in ${client.where}. Deploy, then run npm run apply.`
        : `Applied to ${client.where}.`,
    );
  }
  if (outcome === "refused") processTerminal.tell("Refused; nothing was changed.");
  return outcome === "applied" ? 0 : 1;
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
