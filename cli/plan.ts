import { checks } from "../definitions/checks.ts";
import { definitions } from "../definitions/index.ts";
import { parseArgs, processTerminal, runCommand, UsageError } from "./args.ts";
import { runPlan } from "./run-plan.ts";
import { connectDatabase } from "./support/database.ts";

const USAGE = `Shows what npm run apply would do, and changes nothing.

  npm run plan
  npm run plan -- --check      ends with 1 where there is anything to do
  npm run plan -- --json       the plan as JSON

For every definition in definitions/ that is not as it was applied: what exactly is different, what
it costs to build the view from the log (estimated), how many documents are to be indexed again,
and who reads it. Names changes of sources that do not fit events in the log, and new features that
exist already under another name. Ends with 1 where apply would refuse: a golden case fails, or a
check in definitions/checks.ts finds something.

It looks at the database of the running local stack, or at the Neon database that DATABASE_URL
names.`;

const surroundings = { env: process.env, root: `${import.meta.dirname}/..` };
const options = { json: { type: "boolean" }, check: { type: "boolean" } } as const;

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs(args, options);
  if (values.help === true) {
    processTerminal.print(USAGE);
    return 0;
  }
  if (positionals.length > 0) throw new UsageError(`plan takes no "${positionals[0]}"`);
  return runPlan({
    definitions,
    checks,
    json: values.json === true,
    check: values.check === true,
    terminal: processTerminal,
    connect: () => connectDatabase(surroundings),
  });
}

process.exitCode = await runCommand(processTerminal, "npm run plan -- --help", () =>
  run(process.argv.slice(2)),
);
