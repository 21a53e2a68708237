import type { Ctx } from "../context.ts";
import { AppError } from "../errors.ts";
import type { Acceptance } from "../features/define-source.ts";
import { verifyStandardWebhook } from "../ingest/signatures/standard-webhooks.ts";
import type { Exchange } from "./app-env.ts";
import { authoriseAll, identifyCaller, renewLater } from "./identity.ts";

/**
 * Whose events a request to a source brings: by an API key that may ingest, or by a Standard Webhooks
 * signature where the source accepts those. `readSent` gives the body as it was sent and is called
 * only for a caller that has a key, or to check a signature. Throws AppError `unauthorized`, which
 * does not say whether there is such a source, or `forbidden`.
 */
export async function senderOf(
  ctx: Ctx,
  c: Exchange,
  source: string,
  readSent: () => Promise<Uint8Array>,
): Promise<{ readonly tenant: string; readonly sent: Uint8Array }> {
  const accept = ctx.registry.sources.get(source)?.accept;
  const hooks = (accept ?? []).filter((one) => one.kind === "standard_webhooks");
  // A source that takes nothing says so itself, to those who may send.
  const takesKeys =
    accept === undefined || accept.length === 0 || accept.some(({ kind }) => kind === "api_key");
  const { headers } = c.req.raw;
  const byKey = takesKeys && headers.has("authorization");
  if (!byKey && hooks.length > 0 && headers.has("webhook-signature")) {
    const sent = await readSent();
    return { tenant: await signer(ctx, headers, hooks, sent), sent };
  }
  const principal = await identifyCaller(ctx, c);
  authoriseAll(ctx, principal, "ingest", [`source:${source}`]);
  if (!takesKeys) {
    throw new AppError("forbidden", `the source "${source}" takes signed webhooks only`);
  }
  renewLater(ctx, principal.tenant);
  return { tenant: principal.tenant, sent: await readSent() };
}

async function signer(
  { config, now }: Ctx,
  headers: Headers,
  hooks: readonly Extract<Acceptance, { kind: "standard_webhooks" }>[],
  body: Uint8Array,
): Promise<string> {
  const secrets = hooks.flatMap(({ secret }) => config.webhookSecrets(secret));
  const verified = await verifyStandardWebhook({ headers, body, now: now(), secrets });
  if (verified.ok) return verified.value.tenant;
  const why = verified.error.replaceAll("_", " ");
  throw new AppError("unauthorized", `the webhook's signature is refused: ${why}`);
}
