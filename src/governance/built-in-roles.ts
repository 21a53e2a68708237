import { ACTIONS, role, type Role } from "./role.ts";

/** The roles that every deployment has. */
export const BUILT_IN_ROLES: readonly Role[] = [
  role("admin", [{ actions: ACTIONS, resources: ["*"] }]),
  role("producer", [
    { actions: ["ingest"], resources: ["source:*"] },
    { actions: ["write_documents"], resources: ["collection:*"] },
  ]),
  role("reader", [
    {
      actions: ["read_features", "predict", "search", "read_documents", "read_catalog"],
      resources: ["*"],
    },
  ]),
  role("scientist", [
    {
      actions: [
        "read_features",
        "read_history",
        "predict",
        "search",
        "read_documents",
        "read_catalog",
        "read_metrics",
      ],
      resources: ["*"],
    },
  ]),
  role("operator", [
    {
      actions: ["import", "read_quarantine", "replay_quarantine", "read_catalog", "read_metrics"],
      resources: ["*"],
    },
  ]),
  role("frontend", [{ actions: ["read_features", "predict", "search"], resources: ["*"] }]),
];

/**
 * Pure. The built-in roles and the declared ones by name. Throws a TypeError where a name is taken:
 * a key's role must not change its meaning silently.
 */
export function rolesByName(declared: readonly Role[] = []): ReadonlyMap<string, Role> {
  const roles = new Map<string, Role>();
  for (const one of [...BUILT_IN_ROLES, ...declared]) {
    if (roles.has(one.name)) throw new TypeError(`role "${one.name}" is already there: rename it`);
    roles.set(one.name, one);
  }
  return roles;
}
