import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Ctx } from "../context.ts";
import { AppError, type FieldError } from "../errors.ts";
import type { AppEnv } from "./app-env.ts";
import { problems } from "./schemas.ts";

/** A name that no tenant has: asking for it costs a look-up and finds nothing. */
const NOBODY = "-";

const healthRoute = createRoute({
  method: "get",
  path: "/healthz",
  operationId: "checkHealth",
  tags: ["Operations"],
  summary: "Whether the Worker runs; asks nobody else",
  security: [],
  responses: {
    200: {
      description: "It does",
      content: { "application/json": { schema: z.object({ status: z.literal("ok") }) } },
    },
  },
});

const readyRoute = createRoute({
  method: "get",
  path: "/readyz",
  operationId: "checkReadiness",
  tags: ["Operations"],
  summary: "Whether Redis and Postgres answer; one round trip to each",
  security: [],
  responses: {
    200: {
      description: "Both do",
      content: {
        "application/json": {
          schema: z.object({ status: z.literal("ready") }).openapi("Ready"),
        },
      },
    },
    ...problems("dependency_unavailable"),
  },
});

/** For load balancers and people on call. */
export const healthRoutes = new OpenAPIHono<AppEnv>()
  .openapi(healthRoute, (c) => c.json({ status: "ok" as const }, 200))
  .openapi(readyRoute, async (c) => {
    await checkStores(c.get("ctx"));
    return c.json({ status: "ready" as const }, 200);
  });

async function checkStores({ online, log }: Pick<Ctx, "online" | "log">): Promise<void> {
  const checks = await Promise.allSettled([online.read(NOBODY, []), log.findUnfinished(0, 1)]);
  const errors = checks.flatMap(({ status }, i): FieldError[] => {
    const path = i === 0 ? "redis" : "postgres";
    const detail = `${path} does not answer`;
    return status === "fulfilled" ? [] : [{ path, code: "dependency_unavailable", detail }];
  });
  if (errors.length === 0) return;
  const names = errors.map(({ path }) => path).join(" and ");
  const cause: unknown = checks.find((check) => check.status === "rejected")?.reason;
  throw new AppError("dependency_unavailable", `no answer from ${names}`, { errors, cause });
}
