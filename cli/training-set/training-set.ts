import type { z } from "zod";
import type { Vault } from "../../src/governance/vault.ts";
import { columnsOf, type Columns } from "../../src/features/columns.ts";
import type { DefinitionStore } from "../../src/features/definition-store.ts";
import type { HistoryLog } from "../../src/features/history/history-log.ts";
import { preparing, type Known, type PrepareRow } from "../../src/features/history/prepare-row.ts";
import type { ViewVersions } from "../../src/features/history/view-versions.ts";
import { appliedVersions } from "../../src/features/read-history.ts";
import type { Registry } from "../../src/features/registry.ts";
import { selectFeatures, type Asked, type Selection } from "../../src/features/select.ts";

/** What a training set is made with. */
export interface TrainingContext {
  readonly registry: Registry;
  readonly history: HistoryLog;
  readonly definitions: Pick<DefinitionStore, "listViews">;
  readonly vault: Pick<Vault, "token">;
}

export interface TrainingRequest {
  readonly tenant: string;
  readonly asked: Asked;
  readonly known: Known;
  /** The spine's column of times. */
  readonly atColumn: string;
  /** The spine's column of versions of online answers; null where it has none. */
  readonly versionColumn: string | null;
}

/** One kind of entity: which of the selection's views it has, by their position. */
export interface EntityKind {
  readonly entity: string;
  readonly views: readonly number[];
}

/** A training set as it is asked for, checked against the definitions. */
export interface TrainingSet extends TrainingRequest {
  readonly registry: Registry;
  readonly selection: Selection;
  readonly versions: readonly ViewVersions[];
  readonly columns: Columns;
  readonly kinds: readonly EntityKind[];
  /** The spine's columns of entity keys, and those that on-demand features need. */
  readonly keyColumns: readonly string[];
  readonly requestColumns: readonly string[];
  /** Of the latter, those that no row may lack. */
  readonly neededOfRequest: readonly string[];
  /** How rows are checked, in a run that began at `startedAt`. */
  prepareFrom(startedAt: number): PrepareRow;
}

/** Throws AppError as history does: `not_found`, `unprocessable`, `dependency_unavailable`. */
export async function openTrainingSet(
  ctx: TrainingContext,
  request: TrainingRequest,
): Promise<TrainingSet> {
  const { registry } = ctx;
  const selection = selectFeatures(registry, request.asked);
  const versions = await appliedVersions(ctx.definitions, selection);
  const entities = [...new Set(selection.views.map(({ entity }) => entity))];
  const ofRequest = selection.onDemand.flatMap(({ request: { shape } }) =>
    Object.entries(shape as Readonly<Record<string, z.ZodType>>),
  );
  const needed = ofRequest.filter(([, schema]) => !schema.safeParse(undefined).success);
  return {
    ...request,
    registry,
    selection,
    versions,
    columns: columnsOf(selection),
    kinds: entities.map((entity) => ({
      entity,
      views: selection.views.flatMap((view, i) => (view.entity === entity ? [i] : [])),
    })),
    keyColumns: [...new Set(entities.flatMap((name) => registry.entities.get(name)?.key ?? []))],
    requestColumns: [...new Set(ofRequest.map(([name]) => name))],
    neededOfRequest: [...new Set(needed.map(([name]) => name))],
    prepareFrom: (startedAt) =>
      preparing({ ...ctx, ...request, selection, versions, latest: startedAt }),
  };
}
