import type { Vault } from "../governance/vault.ts";
import { stableId } from "../ids.ts";
import type { LogEvent } from "../features/event-log.ts";
import type { Refused } from "./refused.ts";
import { digest } from "../digest.ts";
import type { QuarantineEntry } from "./envelope.ts";
import { eventToKeep } from "./kept.ts";
import type { QuarantineStore } from "./quarantine-store.ts";

export interface QuarantineContext {
  readonly vault: Vault;
  readonly quarantine: Pick<QuarantineStore, "add">;
}

/** The id of an accepted event in quarantine: the same event, refused again, has the same one. */
export async function quarantineId(event: LogEvent): Promise<string> {
  const { source, eventId, bodyHash, ingestTime } = event;
  return stableId("qrt", ingestTime, await digest(`${source}\n${eventId}\n${bodyHash}`));
}

async function entryOf(vault: Vault, refused: Refused): Promise<QuarantineEntry> {
  const { event, reason, detail } = refused;
  const { tenant, source, eventId, ingestTime } = event;
  const id = await quarantineId(event);
  const payload = await vault.seal(tenant, id, eventToKeep(event));
  return { id, tenant, source, reason, detail, payload, eventId, receivedAt: ingestTime };
}

/** Keeps events that were accepted but can never be applied, sealed, with the reason. */
export async function quarantineRefused(
  ctx: QuarantineContext,
  refused: readonly Refused[],
): Promise<void> {
  await ctx.quarantine.add(await Promise.all(refused.map((one) => entryOf(ctx.vault, one))));
}
