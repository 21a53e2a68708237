import type { Action } from "../../governance/role.ts";
import type { Middleware } from "../app-env.ts";
import { authoriseAll, identifyCaller, renewFirst, renewLater } from "../identity.ts";

/**
 * How a route learns of revoked keys: `read` looks at the meta key that it reads anyway; `later`
 * renews after the answer, for routes that must not wait; `first` renews before anything is done.
 */
export type Renewal = "read" | "later" | "first";

/**
 * Part of the configuration of every /v1 route: the action that it stands for, and the guard that
 * lets its handler ask for it. `middleware` runs behind the guard.
 */
export function guarded(action: Action, renewal: Renewal, ...middleware: readonly Middleware[]) {
  const guard: Middleware = async (c, next) => {
    const ctx = c.get("ctx");
    const principal = await identifyCaller(ctx, c);
    if (renewal === "later") renewLater(ctx, principal.tenant);
    if (renewal === "first") await renewFirst(ctx, principal);
    c.set("permit", (...resources) => {
      authoriseAll(ctx, principal, action, resources);
      return principal;
    });
    await next();
  };
  return {
    "x-action": action,
    security: [{ api_key: [] as string[] }],
    middleware: [guard, ...middleware],
  };
}
