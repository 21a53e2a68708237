import type { OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "./app-env.ts";
import { describeProblems } from "./schemas.ts";

/** Registers what all routes share: the ways to identify oneself, and the problems. */
export function describeShared(app: OpenAPIHono<AppEnv>): void {
  describeProblems(app.openAPIRegistry);
  app.openAPIRegistry.registerComponent("securitySchemes", "api_key", {
    type: "http",
    scheme: "bearer",
    description:
      "A key made by `npm run keys`: fr_live_… for servers, fr_pub_… for pages. It names its " +
      "tenant and roles, and `x-action` says which action a role has to grant. A publishable key " +
      "only reads, and only from the origins that it names.",
  });
  app.openAPIRegistry.registerComponent("securitySchemes", "standard_webhooks", {
    type: "apiKey",
    in: "header",
    name: "webhook-signature",
    description:
      "Standard Webhooks: webhook-id, webhook-timestamp and webhook-signature over the body as it " +
      "is sent, compressed or not. The secret says whose events they are.",
  });
}

const INFO = {
  openapi: "3.1.0",
  info: {
    title: "Freshet",
    version: "1",
    description:
      "Events in, fresh features, search results and predictions out. JSON in snake_case; times " +
      "in requests are epoch milliseconds or ISO 8601 with offset. Bodies may be compressed with " +
      "gzip. Errors are RFC 9457 problems; each answer has X-Request-Id, and Server-Timing with " +
      "the round trips it cost.",
    license: { name: "Apache-2.0", identifier: "Apache-2.0" },
  },
  servers: [{ url: "/" }],
  tags: [
    { name: "Events", description: "What happened" },
    { name: "Features", description: "What it means, now" },
    { name: "Predictions", description: "What it is likely to mean" },
    { name: "Documents", description: "What can be found" },
    { name: "Search", description: "Finding it" },
    { name: "Quarantine", description: "What could not be taken" },
    { name: "Catalog", description: "What is defined" },
    { name: "Quality", description: "Whether features are as they use to be" },
    { name: "Operations", description: "Whether it runs" },
  ],
};

/** The description of every route, as text: what openapi.json holds. */
export const openApiText = (app: OpenAPIHono<AppEnv>): string =>
  `${JSON.stringify(app.getOpenAPI31Document(INFO), null, 2)}\n`;
