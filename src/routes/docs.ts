import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { Scalar } from "@scalar/hono-api-reference";
import { ERROR_STATUS } from "../errors.ts";
import type { AppEnv } from "./app-env.ts";
import { endpointList, errorList } from "./docs-pages.ts";

const READER =
  "https://cdn.jsdelivr.net/npm/@scalar/api-reference@1.72.1/dist/browser/standalone.js";
const READER_HASH = "sha384-U11tb2XnKvmwt8RlTvnwUnYgrN+ur4Xyh9htLhjajWNR/Oyl5AX5DEz00qRmlrmK";

const reader = Scalar<AppEnv>({
  url: "/openapi.json",
  cdn: READER,
  pageTitle: "Freshet API",
  // A key that is tried out goes to this service alone.
  proxyUrl: "",
  telemetry: false,
  withDefaultFonts: false,
  agent: { disabled: true },
  mcp: { disabled: true },
});

const page = (summary: string, path: string, type: string, schema: z.ZodType) =>
  createRoute({
    method: "get",
    path,
    tags: ["Operations"],
    summary,
    security: [],
    responses: { 200: { description: "It", content: { [type]: { schema } } } },
  });

const links = z.object({ name: z.string(), docs: z.string(), openapi: z.string() });
const rootRoute = page("Where to look", "/", "application/json", links);
const describedRoute = page(
  "This description",
  "/openapi.json",
  "application/json",
  z.record(z.string(), z.unknown()),
);
const docsRoute = page("This description, for people", "/docs", "text/html", z.string());
const errorsRoute = page("What each error code means", "/docs/errors", "text/html", z.string());

/**
 * The API's description, as JSON and for people. The reader's script comes from a public CDN, pinned
 * by its hash; until it has loaded, and where it cannot, the page is a plain list of the endpoints.
 */
export function docsRoutes(openApi: () => string): OpenAPIHono<AppEnv> {
  let read: string | undefined;
  return new OpenAPIHono<AppEnv>()
    .openapi(rootRoute, (c) =>
      c.json({ name: "freshet", docs: "/docs", openapi: "/openapi.json" }, 200),
    )
    .openapi(describedRoute, (c) => {
      const headers = { "Content-Type": "application/json", "Access-Control-Allow-Origin": "*" };
      return c.body(openApi(), 200, headers);
    })
    .openapi(docsRoute, async (c, next) => {
      if (read === undefined) {
        const answer = await reader(c, next);
        const fallback = (await endpointList(openApi())).toString();
        read = withFallback(answer instanceof Response ? await answer.text() : "", fallback);
      }
      return c.html(read);
    })
    .openapi(errorsRoute, async (c) => c.html(await errorList(ERROR_STATUS)));
}

/** Pure. What stands in the reader's place is replaced by it when it starts. */
function withFallback(html: string, fallback: string): string {
  return html
    .replace('<div id="app"></div>', () => `<div id="app">${fallback}</div>`)
    .replace(
      `<script src="${READER}"`,
      (tag) => `${tag} integrity="${READER_HASH}" crossorigin="anonymous"`,
    );
}
