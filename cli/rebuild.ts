import { setTimeout as sleep } from "node:timers/promises";
import { countEntities } from "../src/platform/neon/count-entities.ts";
import { createStateArchive } from "../src/platform/neon/state-archive.ts";
import { parseArgs, processTerminal, runCommand, UsageError } from "./args.ts";
import { rebuildOnline } from "./rebuild-online.ts";
import { holdCommandLease, releaseOnSignal } from "./support/command-lease.ts";
import { chooseTenants } from "./support/choose-tenant.ts";
import { connectDatabase } from "./support/database.ts";
import { counted, numberText } from "./support/number-text.ts";
import { connectOnline } from "./support/online.ts";
import { spanText } from "./support/rate-bar.ts";

const USAGE = `Rebuilds the online store (Redis) from Postgres, now.

  npm run rebuild
  npm run rebuild -- --tenant acme     this tenant alone
  npm run rebuild -- --keep-serving    reads go on meanwhile, from what is in Redis

Run it after Redis was flushed, replaced, or restored from a backup; after a restore before anything
else, and where audit-skew found a difference. Every state is copied that is missing, older than in
Postgres or damaged (not the same at its version), newer ones are kept, and at the end the store is
read back. Until then reads answer as ON_INCOMPLETE_STORE says, since nobody
knows which states are old: never a wrong value. With --keep-serving they answer from what is there,
which is for a Redis that may have lost a few writes, not for a backup. Where Postgres was set back
in time, flush Redis first: it holds versions that Postgres never had.

Safe while events arrive, to interrupt and to repeat; it needs neither the Worker nor its queue. The
cron, which fills a flushed Redis too, gives way to it, and does what it left when it was
interrupted. Two at once do no harm: the second one says who is at it. It works on the running local
stack, or on the deployment whose DATABASE_URL, UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN
are in the environment.`;

const surroundings = { env: process.env, root: `${import.meta.dirname}/..` };
const options = { tenant: { type: "string" }, "keep-serving": { type: "boolean" } } as const;

async function run(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs(args, options);
  if (values.help === true) {
    processTerminal.print(USAGE);
    return 0;
  }
  if (positionals.length > 0) throw new UsageError(`rebuild takes no "${positionals[0]}"`);
  const database = await connectDatabase(surroundings);
  const online = await connectOnline(surroundings);
  const archive = createStateArchive(database);
  const tenants = await chooseTenants(values.tenant ?? null, database);
  const tell = (line: string): void => processTerminal.tell(line);
  const lease = await holdCommandLease(database, "rebuild", tell);
  releaseOnSignal(lease);
  const began = performance.now();
  const { stderr } = process;
  const draw = stderr.isTTY ? (line: string) => void stderr.write(`\r\u001B[K${line}`) : undefined;
  try {
    const done = await rebuildOnline({
      archive,
      online,
      tenants,
      keepServing: values["keep-serving"] === true,
      total: await countEntities(database, tenants),
      screen: { tell, draw },
      now: () => Date.now(),
      sleep: (ms) => sleep(ms),
      hold: () => lease.hold(),
    });
    processTerminal.print(
      `Rebuilt from ${database.where} and read back: ` +
        `${counted(done.tenants, "tenant", "tenants")}, ` +
        `${counted(done.entities, "entity", "entities")}, ` +
        `${counted(done.states, "state", "states")} ` +
        `(${numberText(done.written)} were missing or older, ${numberText(done.mended)} damaged), in ${spanText(performance.now() - began)}.`,
    );
    return 0;
  } finally {
    // One that cannot be given back ends by itself.
    await lease.release().catch(() => undefined);
  }
}

process.exitCode = await runCommand(processTerminal, "npm run rebuild -- --help", () =>
  run(process.argv.slice(2)),
);
