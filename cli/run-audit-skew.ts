import { auditAnswers } from "../src/features/audit-answers.ts";
import { createDefinitionStore } from "../src/platform/neon/definition-store.ts";
import { createHistoryLog } from "../src/platform/neon/history-log.ts";
import { createServedAnswers } from "../src/platform/neon/served-answers.ts";
import { durationMs, parseInstant, type Duration } from "../src/time.ts";
import { parseArgs, UsageError, type Terminal } from "./args.ts";
import { skewJson, skewText } from "./skew-text.ts";
import { chooseTenants } from "./support/choose-tenant.ts";
import type { Database } from "./support/database.ts";
import { startBar, type ProgressScreen } from "./support/rate-bar.ts";

export const AUDIT_USAGE = `Replays logged online answers from history, which must give the same values.

  npm run audit-skew
  npm run audit-skew -- --since 1d --tenant acme
  npm run audit-skew -- --json

  --since WHEN    answers served from then on: 6h or 7d ago, epoch milliseconds, or ISO 8601 with
                  offset; by default all that are kept
  --limit N       at most so many of each tenant, the newest
  --tenant NAME   of this tenant alone
  --show N        differences that are shown; 20 by default
  --json          the report as JSON

The Worker logs a share of its answers (SKEW_SAMPLE in wrangler.toml), a row for each view and
entity, and keeps them for a week. Each is asked of history by its as_of and version, of the events
in the log. Ends with 1 where anything differs: a value or status is another (mismatched), online
had none (missing), or history has none (extra). An answer is replayed by the version of its view
that gave it, also where another has taken its place since.

It reads the running local stack, or the Neon database of DATABASE_URL, and changes nothing.`;

export interface AuditArgs {
  /** Epoch ms. */
  readonly since: number;
  readonly limit: number;
  readonly tenant: string | null;
  readonly shown: number;
  readonly json: boolean;
}

/** Pure. What a command line asks for at `now`; null for help. Throws a UsageError. */
export function readAuditArgs(args: readonly string[], now: number): AuditArgs | null {
  const { values, positionals } = parseArgs(args, {
    since: { type: "string" },
    limit: { type: "string" },
    tenant: { type: "string" },
    show: { type: "string" },
    json: { type: "boolean" },
  });
  if (values.help === true) return null;
  const [extra] = positionals;
  if (extra !== undefined) throw new UsageError(`audit-skew takes no "${extra}"`);
  return {
    since: values.since === undefined ? 0 : readSince(values.since, now),
    limit:
      values.limit === undefined ? Number.POSITIVE_INFINITY : readCount("limit", values.limit, 1),
    tenant: values.tenant ?? null,
    shown: values.show === undefined ? 20 : readCount("show", values.show, 0),
    json: values.json === true,
  };
}

function readCount(name: string, text: string, least: 0 | 1): number {
  if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
  const from = least > 0 ? ` from ${least}` : "";
  throw new UsageError(`--${name} takes a whole number${from}, not "${text}"`);
}

function readSince(text: string, now: number): number {
  if (/^\d{1,6}[smhd]$/.test(text)) return now - durationMs(text as Duration);
  const instant = parseInstant(/^\d+$/.test(text) ? Number(text) : text);
  if (instant.ok) return instant.value;
  throw new UsageError(`--since "${text}": ${instant.error}; or 6h, 7d for so long ago`);
}

export interface RunAuditOptions extends AuditArgs {
  readonly terminal: Terminal;
  readonly screen: ProgressScreen;
  readonly connect: () => Promise<Database>;
}

/**
 * Audits the sampled answers and prints the report; answers the exit code: 1 where anything differs.
 * Throws a UsageError for a tenant that is not there.
 */
export async function runAuditSkew(options: RunAuditOptions): Promise<number> {
  const { terminal, screen, connect, tenant, since, limit, shown, json } = options;
  const database = await connect();
  const tenants = await chooseTenants(tenant, database);
  const bar = startBar(screen, { word: "answers looked at", total: null });
  const report = await auditAnswers(
    {
      history: createHistoryLog(database),
      definitions: createDefinitionStore(database),
      servedAnswers: createServedAnswers(database),
    },
    {
      tenants,
      since,
      limit,
      shown,
      progress: (answers) => bar.add(answers),
    },
  );
  bar.end();
  if (json) terminal.print(JSON.stringify(skewJson(report), null, 2));
  else for (const line of skewText(report, database.where)) terminal.print(line);
  return report.mismatched + report.missing + report.extra > 0 ? 1 : 0;
}
