import { kindOf, type ApiKeyClaims } from "../../src/governance/api-key-claims.ts";
import { PUBLISHABLE_ACTIONS } from "../../src/governance/policy.ts";
import type { Role } from "../../src/governance/role.ts";

/** Pure. What a key is and what it may do, in lines for people. */
export function describeKey(
  claims: ApiKeyClaims,
  roles: ReadonlyMap<string, Role>,
  now: number,
): readonly string[] {
  const publishable = kindOf(claims) === "publishable";
  const named = claims.name === undefined ? "" : ` "${claims.name}"`;
  return [
    `${claims.kid}${named}: ${kindOf(claims)} key of tenant ${claims.tenant}`,
    ...(publishable ? [`  from      ${claims.origins?.join(", ")}, in browsers only`] : []),
    `  expires   ${expiry(claims.exp, now)}`,
    ...claims.roles.flatMap((name) => grantsOf(name, roles, publishable)),
  ];
}

function expiry(exp: number | undefined, now: number): string {
  if (exp === undefined) return "never";
  const date = new Date(exp * 1000).toISOString();
  return exp * 1000 <= now ? `expired on ${date}` : `on ${date}`;
}

function grantsOf(
  name: string,
  roles: ReadonlyMap<string, Role>,
  publishable: boolean,
): readonly string[] {
  const role = roles.get(name);
  if (role === undefined) return [`  ${name}: no such role, so it grants nothing`];
  const lines = role.grants.flatMap(({ actions, resources }) => {
    const allowed = actions.filter((action) => !publishable || PUBLISHABLE_ACTIONS.has(action));
    const what = resources.map((one) => (one === "*" ? "everything" : one)).join(", ");
    return allowed.length === 0 ? [] : [`  ${name.padEnd(9)} ${allowed.join(", ")} on ${what}`];
  });
  return lines.length > 0 ? lines : [`  ${name.padEnd(9)} grants nothing that this key may do`];
}
