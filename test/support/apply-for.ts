import {
  applyDefinitions,
  type AppliedDefinitions,
  type ApplyDefinitionsContext,
} from "../../src/features/apply-definitions.ts";
import type { DefinitionStore } from "../../src/features/definition-store.ts";
import type { ConsumeContext } from "../../src/ingest/consume.ts";
import { foldingOf } from "../../src/ingest/fold-pending.ts";

/** Applies the definitions of a consumer, by what it folds with, as `npm run apply` does. */
export const applyFor = (
  ctx: ConsumeContext,
  definitions: DefinitionStore,
  changes: Partial<ApplyDefinitionsContext> = {},
): Promise<AppliedDefinitions> =>
  applyDefinitions({
    registry: ctx.registry,
    archive: ctx.archive,
    online: ctx.online,
    definitions,
    now: ctx.now,
    progress: () => undefined,
    ...foldingOf(ctx),
    ...changes,
  });
