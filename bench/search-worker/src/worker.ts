import { createApp } from "../../../src/app.ts";
import { readConfig } from "../../../src/config.ts";
import { contextFrom } from "../../../src/context.ts";
import { compileDeployment } from "../../../src/deployment.ts";
import { createLogger } from "../../../src/log.ts";
import { createSqlClient, type SqlStatement } from "../../../src/platform/neon/sql-client.ts";
import { searched } from "../../search/collections.ts";

const deployment = compileDeployment(searched);
const logger = createLogger((level, line) => console[level](line));
const app = createApp({
  contextFor: (env, afterwards) =>
    contextFrom({ env: env as Env, deployment, now: () => Date.now(), afterwards, logger }),
  logger,
});

/**
 * The least that a Worker can do with statements that are ready: send them with the same driver in
 * one round trip, and answer which documents came. It checks, analyses and embeds nothing.
 */
async function bare(request: Request, env: object): Promise<Response> {
  const statements = await request.json<readonly SqlStatement[]>();
  const { databaseUrl, neonFetchEndpoint = "" } = readConfig(env);
  const client = createSqlClient({
    connectionString: databaseUrl,
    fetchEndpoint: neonFetchEndpoint,
    timeoutMs: 60_000,
  });
  const [only] = statements;
  const rows =
    statements.length === 1 && only !== undefined
      ? await client.query(only.text, only.params)
      : (await client.batch(statements)).at(-1);
  return Response.json((rows ?? []).map((row) => row["document_id"]));
}

// oxlint-disable-next-line import/no-default-export -- the runtime asks for it
export default {
  fetch: (request, env, ctx) =>
    new URL(request.url).pathname === "/bare" ? bare(request, env) : app.fetch(request, env, ctx),
} satisfies ExportedHandler<object>;
