import { setTimeout as sleep } from "node:timers/promises";
import {
  applyDefinitions,
  type AppliedDefinitions,
  type ApplyStep,
} from "../src/features/apply-definitions.ts";
import type { OnlineStore } from "../src/features/online-store.ts";
import type { Registry } from "../src/features/registry.ts";
import type { Vault } from "../src/governance/vault.ts";
import { foldingOf } from "../src/ingest/fold-pending.ts";
import { openViewsInUse } from "../src/ingest/views-in-use.ts";
import { createDefinitionStore } from "../src/platform/neon/definition-store.ts";
import { createEventLog } from "../src/platform/neon/event-log.ts";
import { createHistoryLog } from "../src/platform/neon/history-log.ts";
import { createQuarantineStore } from "../src/platform/neon/quarantine-store.ts";
import type { SqlClient } from "../src/platform/neon/sql-client.ts";
import { createStateArchive } from "../src/platform/neon/state-archive.ts";
import type { PlannedChange } from "../src/planning/plan.ts";
import { counted } from "./support/number-text.ts";
import type { Progress, ProgressStep } from "./support/progress.ts";

export interface ApplyRegistryOptions {
  readonly registry: Registry;
  /** Whether views that the deployment does not have stay in use. */
  readonly beside?: boolean;
  readonly client: SqlClient;
  readonly online: OnlineStore;
  /** Seals past events that turn out to be impossible to fold. */
  readonly vault: Vault;
  /** What is planned: how much there is to build. */
  readonly planned: readonly PlannedChange[];
  readonly print: (line: string) => void;
  readonly progress: Progress;
}

/** How far a step is, measured in events: entities differ in size. */
function stepOf(
  step: ApplyStep,
  done: number,
  events: number,
  planned: readonly PlannedChange[],
): ProgressStep {
  if (step.kind === "waiting") {
    return { label: "events that waited", done, total: null, unit: "entities" };
  }
  const unit = "events";
  if (step.kind === "backfill") {
    const total = planned.reduce((sum, { build }) => sum + (build?.backfill ?? 0), 0);
    return { label: "past events of new entities", done: events, total, unit };
  }
  const { name, version } = step.view;
  const change = planned.find((one) => one.kind === "view" && one.name === name);
  const total = change?.build?.events ?? null;
  return { label: `${name} version ${version}`, done: events, total, unit };
}

/**
 * Applies the definitions to a database and its online store, showing how far it is, and printing a
 * line for every view that is new or changed.
 */
export async function applyRegistry(options: ApplyRegistryOptions): Promise<void> {
  const { registry, client, online, vault, planned, print, progress } = options;
  const now = (): number => Date.now();
  const definitions = createDefinitionStore(client);
  const folding = {
    registry,
    inUse: openViewsInUse(registry, () => definitions.listViews()),
    log: createEventLog(client),
    history: createHistoryLog(client),
    online,
    now,
    random: () => Math.random(),
    sleep: (ms: number) => sleep(ms),
    vault,
    quarantine: createQuarantineStore(client),
  };
  try {
    const applied = await applyDefinitions({
      registry,
      beside: options.beside === true,
      online,
      definitions,
      archive: createStateArchive(client),
      now,
      ...foldingOf(folding),
      progress: (step, done, events) => progress.show(stepOf(step, done, events, planned)),
    });
    progress.end();
    for (const line of appliedText(applied)) print(line);
  } finally {
    progress.end();
  }
}

function appliedText(applied: AppliedDefinitions): readonly string[] {
  const { views, others, registered, backfilled, built } = applied;
  const isNew = new Set(registered.map(({ stateId }) => stateId));
  const told = views.filter(({ stateId }) => isNew.has(stateId) || built.has(stateId));
  const given = `${counted(backfilled, "past event", "past events")} given to new entities`;
  const same = views.length - told.length;
  return [
    ...(backfilled > 0 ? [given] : []),
    ...told.map(({ name, version, stateId }) => {
      const entities = built.get(stateId);
      const from =
        entities === undefined
          ? ""
          : `, built from the log for ${counted(entities, "entity", "entities")}`;
      return `${name} is version ${version}${from}`;
    }),
    ...(same > 0 ? [`${counted(same, "view", "views")} unchanged`] : []),
    ...others.map(({ name, version }) => `${name} version ${version} stays in use beside them`),
  ];
}
