import type { Principal } from "./principal.ts";
import type { Action, Grant, Resource, ResourcePattern, Role } from "./role.ts";

/** Why something is not allowed; stable, for audit and metrics. */
export type Denial = "no_grant" | "publishable_key" | "origin";

export type Decision =
  | {
      readonly allowed: true;
      /** The role and pattern that allow it, as `reader: read_features on view:*`. */
      readonly rule: string;
    }
  | { readonly allowed: false; readonly reason: Denial };

/** What a key that anyone can read in a page's source may do, whatever its roles grant. */
export const PUBLISHABLE_ACTIONS: ReadonlySet<Action> = new Set<Action>([
  "read_features",
  "predict",
  "search",
  "read_documents",
]);

/** Pure. Whether the request comes from where the credential may be used. */
export const isFromAllowedOrigin = (principal: Pick<Principal, "origin" | "origins">): boolean =>
  principal.origins === null ||
  (principal.origin !== null && principal.origins.includes(principal.origin));

/** Each attribute that narrows what roles grant: the reason against it, or null. */
const NARROWINGS: readonly ((principal: Principal, action: Action) => Denial | null)[] = [
  (principal) => (isFromAllowedOrigin(principal) ? null : "origin"),
  (principal, action) =>
    principal.kind === "secret" || PUBLISHABLE_ACTIONS.has(action) ? null : "publishable_key",
];

/**
 * Pure. Whether a principal may do this to that. Denied unless a role of its own grants the action
 * on the resource and no attribute stands against it; a role that nobody declared grants nothing.
 */
export function authorise(
  principal: Principal,
  action: Action,
  resource: Resource,
  roles: ReadonlyMap<string, Role>,
): Decision {
  for (const narrowing of NARROWINGS) {
    const reason = narrowing(principal, action);
    if (reason !== null) return { allowed: false, reason };
  }
  for (const name of principal.roles) {
    for (const grant of roles.get(name)?.grants ?? []) {
      const pattern = matching(grant, action, resource);
      if (pattern !== undefined) {
        return { allowed: true, rule: `${name}: ${action} on ${pattern}` };
      }
    }
  }
  return { allowed: false, reason: "no_grant" };
}

function matching(grant: Grant, action: Action, resource: Resource): ResourcePattern | undefined {
  if (!grant.actions.includes(action)) return undefined;
  return grant.resources.find((pattern) =>
    pattern.endsWith("*") ? resource.startsWith(pattern.slice(0, -1)) : resource === pattern,
  );
}
