import { definitions } from "../definitions/index.ts";
import { compileDeployment } from "../src/deployment.ts";
import { DefinitionError } from "../src/features/fields.ts";
import { createProfileStore } from "../src/platform/neon/profile-store.ts";
import { processTerminal, runCommand } from "./args.ts";
import { QUALITY_USAGE, readQualityArgs } from "./quality-args.ts";
import { runQuality } from "./run-quality.ts";
import { chooseTenant } from "./support/choose-tenant.ts";
import { connectDatabase } from "./support/database.ts";

const surroundings = { env: process.env, root: `${import.meta.dirname}/..` };

async function run(args: readonly string[]): Promise<number> {
  const { registry } = compileDeployment(definitions);
  const asked = readQualityArgs(registry, args);
  if (asked === null) {
    processTerminal.print(QUALITY_USAGE);
    return 0;
  }
  const client = await connectDatabase(surroundings);
  return runQuality({
    ...asked,
    registry,
    profiles: createProfileStore(client),
    tenant: await chooseTenant(asked.tenant, client),
    terminal: processTerminal,
    now: () => Date.now(),
  });
}

process.exitCode = await runCommand(processTerminal, "npm run quality -- --help", async () => {
  try {
    return await run(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof DefinitionError)) throw error;
    processTerminal.tell(error.message);
    return 1;
  }
});
