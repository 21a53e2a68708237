import { rolesByName } from "../src/governance/built-in-roles.ts";
import { createKeyStore } from "../src/platform/neon/key-store.ts";
import { createStateArchive } from "../src/platform/neon/state-archive.ts";
import { processTerminal, runCommand } from "./args.ts";
import { connectDatabase } from "./support/database.ts";
import { runKeys } from "./support/keys-command.ts";
import { connectOnline } from "./support/online.ts";
import { findSecret } from "./support/secrets.ts";
import { createLiveKeyStore } from "./support/tenants.ts";

const surroundings = { env: process.env, root: `${import.meta.dirname}/..` };

process.exitCode = await runCommand(processTerminal, "npm run keys -- --help", () =>
  runKeys(process.argv.slice(2), {
    terminal: processTerminal,
    roles: rolesByName(),
    now: Date.now(),
    findSecret: () => findSecret("KEY_SIGNING_SECRET", surroundings),
    openStore: async () => {
      const database = await connectDatabase(surroundings);
      const store = createLiveKeyStore({
        keys: createKeyStore(database),
        archive: createStateArchive(database),
        online: await connectOnline(surroundings),
      });
      return { where: database.where, store };
    },
  }),
);
