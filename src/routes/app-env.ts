import type { Context, MiddlewareHandler } from "hono";
import type { Ctx } from "../context.ts";
import type { Principal } from "../governance/principal.ts";
import type { Resource } from "../governance/role.ts";

/**
 * The only way in which a route learns its tenant: by naming what its action is done to. Throws
 * AppError `forbidden`.
 */
export type Permit = (...resources: readonly Resource[]) => Principal;

/** What every request of the API has. */
export interface AppEnv {
  Variables: {
    /** Of the request; in its answer's X-Request-Id and in every log line about it. */
    requestId: string;
    /** W3C trace context as the caller sent it; null where it sent none. */
    traceparent: string | null;
    ctx: Ctx;
    /** What is to be done once the answer is finished and its cost is written down. */
    afterwards: readonly (() => Promise<unknown>)[];
    /** Refuses everything, unless the route declares its action. */
    permit: Permit;
  };
}

export type AppContext = Context<AppEnv>;
export type Middleware = MiddlewareHandler<AppEnv>;

/** The request and the headers of its answer, whatever the route's variables. */
export type Exchange = Pick<Context, "req" | "header">;
