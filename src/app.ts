import { OpenAPIHono } from "@hono/zod-openapi";
import type { Ctx } from "./context.ts";
import { AppError } from "./errors.ts";
import type { Logger } from "./log.ts";
import type { AppEnv, Middleware } from "./routes/app-env.ts";
import { catalogRoutes } from "./routes/catalog.ts";
import { docsRoutes } from "./routes/docs.ts";
import { documentRoutes } from "./routes/documents.ts";
import { eventRoutes } from "./routes/events.ts";
import { featureRoutes } from "./routes/features.ts";
import { historyRoutes } from "./routes/history.ts";
import { healthRoutes } from "./routes/health.ts";
import { preflight } from "./routes/middleware/cors.ts";
import { envelope } from "./routes/middleware/envelope.ts";
import { describeShared, openApiText } from "./routes/openapi.ts";
import { searchRoutes } from "./routes/search.ts";
import { notFound, onError, refuseInvalid } from "./routes/problem.ts";
import { predictionRoutes } from "./routes/predictions.ts";
import { qualityRoutes } from "./routes/quality.ts";
import { quarantineRoutes } from "./routes/quarantine.ts";

export interface AppOptions {
  /** The context of one request. */
  readonly contextFor: (env: unknown, afterwards: Ctx["afterwards"]) => Ctx;
  readonly logger: Logger;
}

/** The HTTP side of Freshet. Outermost first: name and time, pages, context, guard, body, route. */
export function createApp({ contextFor, logger }: AppOptions) {
  const context: Middleware = async (c, next) => {
    const afterwards: (() => Promise<unknown>)[] = [];
    c.set("afterwards", afterwards);
    c.set(
      "ctx",
      contextFor(c.env, (work) => void afterwards.push(work)),
    );
    c.set("permit", refuseAll);
    await next();
  };
  let described: string | undefined;
  const app = new OpenAPIHono<AppEnv>({ defaultHook: refuseInvalid });
  app.onError(onError(logger));
  app.notFound(notFound);
  app.use("*", envelope);
  app.use("/v1/*", preflight, context);
  app.use("/readyz", context);
  describeShared(app);
  return app
    .route("/v1", eventRoutes)
    .route("/v1", featureRoutes)
    .route("/v1", predictionRoutes)
    .route("/v1", documentRoutes)
    .route("/v1", searchRoutes)
    .route("/v1", historyRoutes)
    .route("/v1", quarantineRoutes)
    .route("/v1", catalogRoutes)
    .route("/v1", qualityRoutes)
    .route("/", healthRoutes)
    .route(
      "/",
      docsRoutes(() => (described ??= openApiText(app))),
    );
}

/** The API as typed clients know it. */
export type AppType = ReturnType<typeof createApp>;

/** What a route is allowed that does not declare its action. */
function refuseAll(): never {
  throw new AppError("forbidden", "this route declares no action, so nobody may use it");
}
