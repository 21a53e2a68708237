import { ROLE_NAME } from "./api-key-claims.ts";

/** Everything that somebody may be allowed to do. */
export const ACTIONS = [
  "ingest",
  "import",
  "read_features",
  "read_history",
  "predict",
  "search",
  "read_documents",
  "write_documents",
  "read_quarantine",
  "replay_quarantine",
  "read_catalog",
  "read_metrics",
  "erase",
  "admin",
] as const;

export type Action = (typeof ACTIONS)[number];

export const RESOURCE_KINDS = [
  "source",
  "view",
  "service",
  "model",
  "collection",
  "entity",
  "system",
] as const;

export type ResourceKind = (typeof RESOURCE_KINDS)[number];

/** What an action is done to, as `source:payments`; `source:*` is all of them at once. */
export type Resource = `${ResourceKind}:${string}`;

/** Names resources: `view:customer_spend`, `view:fraud_*`, `view:*`, or `*` for everything. */
export type ResourcePattern = "*" | Resource;

export interface Grant {
  readonly actions: readonly Action[];
  readonly resources: readonly ResourcePattern[];
}

/** A name for grants; a key carries names of roles. */
export interface Role {
  readonly name: string;
  readonly grants: readonly Grant[];
}

const PATTERN = new RegExp(`^(\\*|(${RESOURCE_KINDS.join("|")}):[^\\s*:]*\\*?)$`);

/**
 * Declares a role. Throws a TypeError that says what is wrong with a name, an action or a pattern,
 * since a grant that never matches would be noticed only by those it locks out.
 */
export function role(name: string, grants: readonly Grant[]): Role {
  if (!ROLE_NAME.test(name)) {
    throw new TypeError(
      `role "${name}": a name is lower-case letters, digits, _ and -, at most 63`,
    );
  }
  for (const { actions, resources } of grants) {
    const action = actions.find((candidate) => !ACTIONS.includes(candidate));
    if (action !== undefined) {
      throw new TypeError(`role "${name}": no action "${action}"; there are ${ACTIONS.join(", ")}`);
    }
    const pattern = resources.find((one) => !PATTERN.test(one) || one.endsWith(":"));
    if (pattern !== undefined) {
      throw new TypeError(
        `role "${name}": "${pattern}" names no resource; write "view:customer_spend", "view:*" ` +
          `or "*", with one of ${RESOURCE_KINDS.join(", ")}`,
      );
    }
  }
  return { name, grants };
}
