// Run as a program of its own by build-worker.ts: prints what wrangler makes of wrangler.toml for
// Miniflare, as JSON in the last line. wrangler is large and installs signal handlers.
import { unstable_getMiniflareWorkerOptions, unstable_readConfig } from "wrangler";

interface Config {
  readonly vars: object;
  readonly triggers: { readonly crons?: readonly string[] };
  readonly secrets?: { readonly required?: readonly string[] };
}

const [, , path = "wrangler.toml"] = process.argv;
const config = unstable_readConfig({ config: path }) as Config;
const { workerOptions } = unstable_getMiniflareWorkerOptions(path);
const described = {
  // What it read from .dev.vars and the environment is left out: the stack gives its own.
  options: { ...workerOptions, bindings: config.vars },
  crons: config.triggers.crons ?? [],
  secrets: config.secrets?.required ?? [],
};
process.stdout.write(`\n${JSON.stringify(described)}\n`);
