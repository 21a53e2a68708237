import { applyDefinitions, type ApplyStep } from "../src/features/apply-definitions.ts";
import type { OnlineStore } from "../src/features/online-store.ts";
import type { Registry } from "../src/features/registry.ts";
import type { Vault } from "../src/governance/vault.ts";
import { applyEvents } from "../src/ingest/apply.ts";
import { applying } from "../src/ingest/consume.ts";
import { createDefinitionStore } from "../src/platform/neon/definition-store.ts";
import { createEventLog } from "../src/platform/neon/event-log.ts";
import { createQuarantineStore } from "../src/platform/neon/quarantine-store.ts";
import type { SqlClient } from "../src/platform/neon/sql-client.ts";
import { createStateArchive } from "../src/platform/neon/state-archive.ts";

export interface ApplyRegistryOptions {
  readonly registry: Registry;
  readonly client: SqlClient;
  readonly online: OnlineStore;
  /** Seals past events that turn out to be impossible to fold. */
  readonly vault: Vault;
  readonly print: (line: string) => void;
}

const counted = (count: number, one: string, many: string): string =>
  `${count} ${count === 1 ? one : many}`;

const progressOf = (step: ApplyStep, done: number): string =>
  step.kind === "build"
    ? `${step.view.name} version ${step.view.version}: ${done} entities built`
    : `${done} past events looked through`;

/**
 * Applies the definitions to a database and its online store, printing a line for every view that
 * is new or changed and one for every thousand entities built.
 */
export async function applyRegistry(options: ApplyRegistryOptions): Promise<void> {
  const { registry, client, online, vault, print } = options;
  const now = (): number => Date.now();
  const log = createEventLog(client);
  const folding = applying({
    registry,
    log,
    online,
    now,
    vault,
    quarantine: createQuarantineStore(client),
  });
  let told = 0;
  const applied = await applyDefinitions({
    registry,
    online,
    definitions: createDefinitionStore(client),
    archive: createStateArchive(client),
    now,
    fold: async (entities) => {
      const { projected } = await applyEvents(folding, [], entities);
      await log.settleOutbox(projected);
    },
    progress: (step, done) => {
      if (Math.floor(done / 1_000) === told) return;
      told = Math.floor(done / 1_000);
      print(`  ${progressOf(step, done)}`);
    },
  });
  if (applied.backfilled > 0) {
    print(`${counted(applied.backfilled, "past event", "past events")} given to new entities`);
  }
  for (const { name, version, stateId } of applied.registered) {
    const built = applied.built.get(stateId);
    const entities = built === undefined ? null : counted(built, "entity", "entities");
    const from = entities === null ? "" : `, built from the log for ${entities}`;
    print(`${name} is version ${version}${from}`);
  }
  if (applied.unchanged > 0) print(`${counted(applied.unchanged, "view", "views")} unchanged`);
}
