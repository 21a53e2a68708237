import { definitions } from "../definitions/index.ts";
import { compileDeployment } from "../src/deployment.ts";
import { AppError } from "../src/errors.ts";
import { DefinitionError } from "../src/features/fields.ts";
import { createVault, type Vault } from "../src/governance/vault.ts";
import { createDefinitionStore } from "../src/platform/neon/definition-store.ts";
import { createHistoryLog } from "../src/platform/neon/history-log.ts";
import { processTerminal, runCommand, UsageError } from "./args.ts";
import { chooseTenant } from "./support/choose-tenant.ts";
import { connectDatabase } from "./support/database.ts";
import { counted } from "./support/number-text.ts";
import { findSecret } from "./support/secrets.ts";
import { makeTrainingSet } from "./training-set/make-training-set.ts";
import { readTrainingArgs, TRAINING_USAGE } from "./training-set/training-args.ts";

const surroundings = { env: process.env, root: `${import.meta.dirname}/..` };

/** Needed only where a key is personal data. */
function lateVault(): Pick<Vault, "token"> {
  let vault: Promise<Vault> | undefined;
  const open = async (): Promise<Vault> => {
    const secret = await findSecret("ENCRYPTION_SECRET", surroundings);
    if (secret !== null) return createVault(secret.value);
    throw new UsageError(
      "A key is personal data, and is stored as a token: set the deployment's ENCRYPTION_SECRET.",
    );
  };
  return { token: async (...args) => (await (vault ??= open())).token(...args) };
}

async function run(args: readonly string[]): Promise<number> {
  const read = readTrainingArgs(args);
  if (read === null) {
    processTerminal.print(TRAINING_USAGE);
    return 0;
  }
  const { tenant: given, ...options } = read;
  const database = await connectDatabase(surroundings);
  const tenant = await chooseTenant(given, database);
  const { stderr } = process;
  const draw = stderr.isTTY ? (line: string) => void stderr.write(`\r\u001B[K${line}`) : undefined;
  const written = await makeTrainingSet(
    {
      registry: compileDeployment(definitions).registry,
      history: createHistoryLog(database),
      definitions: createDefinitionStore(database),
      vault: lateVault(),
      where: database.where,
      terminal: processTerminal,
      screen: { tell: (line) => processTerminal.tell(line), draw },
      now: () => Date.now(),
    },
    { ...options, tenant },
  );
  processTerminal.print(
    `${counted(written, "row", "rows")} in ${options.out}, of ${database.where}.`,
  );
  return 0;
}

process.exitCode = await runCommand(processTerminal, "npm run training-set -- --help", async () => {
  try {
    return await run(process.argv.slice(2));
  } catch (error) {
    if (error instanceof DefinitionError) throw new UsageError(error.message);
    if (!(error instanceof AppError)) throw error;
    for (const { detail } of error.errors) processTerminal.tell(detail);
    throw error;
  }
});
