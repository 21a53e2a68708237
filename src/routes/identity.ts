import { AppError } from "../errors.ts";
import { identify } from "../governance/identify.ts";
import { authorise, type Denial } from "../governance/policy.ts";
import type { Principal } from "../governance/principal.ts";
import type { Action, Resource } from "../governance/role.ts";
import type { Ctx } from "../context.ts";
import type { Exchange } from "./app-env.ts";
import { allowPage } from "./middleware/cors.ts";

/** Who holds the API key of the request. Throws AppError `unauthorized`. Costs no round trip. */
export async function identifyCaller(ctx: Ctx, c: Exchange): Promise<Principal> {
  const { config, revocations, now } = ctx;
  const { headers } = c.req.raw;
  const principal = await identify(
    { authorization: headers.get("authorization"), origin: headers.get("origin"), now: now() },
    {
      secrets: config.signingSecrets,
      revoked: (tenant, keyId) => revocations.isRevoked(tenant, keyId),
    },
  );
  allowPage(c, principal);
  return principal;
}

const REASON: Readonly<Record<Denial, string>> = {
  no_grant: "no role of this key grants",
  publishable_key: "a publishable key only reads, and never grants",
  origin: "from this origin the key does not grant",
};

/** Throws AppError `forbidden` unless the principal may do this to every one of the resources. */
export function authoriseAll(
  { roles }: Pick<Ctx, "roles">,
  principal: Principal,
  action: Action,
  resources: readonly Resource[],
): void {
  for (const resource of resources) {
    const decision = authorise(principal, action, resource, roles);
    if (decision.allowed) continue;
    throw new AppError("forbidden", `${REASON[decision.reason]} ${action} on ${resource}`);
  }
}

type Renewing = Pick<Ctx, "revocations" | "online" | "now" | "note">;

/** Learns after the answer which keys of the tenant are revoked, where that is due. */
export function renewLater(ctx: Renewing & Pick<Ctx, "afterwards">, tenant: string): void {
  if (!ctx.revocations.claimRenewal(tenant, ctx.now())) return;
  ctx.afterwards(() => renew(ctx, tenant));
}

/** The same before anything is done. Throws AppError `unauthorized` for a key that is revoked. */
export async function renewFirst(ctx: Renewing, { tenant, keyId }: Principal): Promise<void> {
  if (!ctx.revocations.isStale(tenant, ctx.now())) return;
  await renew(ctx, tenant);
  if (ctx.revocations.isRevoked(tenant, keyId)) throw keyRefused();
}

/** What is said of a revoked key, as of a forged one. */
export const keyRefused = (): AppError => new AppError("unauthorized", "The API key is not valid.");

/** One round trip to the online store; one that is down must not lock out writers. */
async function renew({ revocations, online, now, note }: Renewing, tenant: string): Promise<void> {
  try {
    const { meta } = await online.read(tenant, []);
    if (meta !== null) revocations.noteMeta(tenant, meta.revokedKeys, now());
  } catch (error) {
    note("revoked keys could not be renewed", { tenant, error });
  }
}
