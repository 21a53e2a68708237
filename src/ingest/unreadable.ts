import { digest } from "../digest.ts";
import type { Vault } from "../governance/vault.ts";
import { stableId } from "../ids.ts";
import type { Delivery } from "./delivery.ts";
import type { QuarantineEntry } from "./envelope.ts";

/** The tenant under which messages are kept that do not say whose they are. */
export const NOBODY = "-";

/** An entry for a message that is not one of ours, whole; the same again when it is redelivered. */
export async function unreadableEntry(
  ctx: { readonly vault: Vault; readonly now: () => number },
  delivery: Pick<Delivery, "id" | "body">,
  detail: string,
): Promise<QuarantineEntry> {
  const id = stableId("qrt", 0, await digest(delivery.id));
  return {
    id,
    tenant: NOBODY,
    source: "",
    reason: "unreadable_message",
    detail,
    payload: await ctx.vault.seal(NOBODY, id, JSON.stringify(delivery.body) ?? "null"),
    eventId: null,
    receivedAt: ctx.now(),
  };
}
