import { createWriteStream, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { buildWorker, type BuiltWorker } from "./build-worker.ts";
import { startClock } from "./clock.ts";
import { createClosers, type Closers } from "./closers.ts";
import { drain } from "./drain.ts";
import type { FacadeOptions } from "./facade-server.ts";
import { takeLock } from "./lock.ts";
import { migrate } from "./migrate.ts";
import { openRedis } from "./open-redis.ts";
import { openPg } from "./pg-backend.ts";
import { openPglite } from "./pglite-backend.ts";
import { checkPortIsFree } from "./port.ts";
import type { RedisBackend } from "./redis-backend.ts";
import { startRedisFacade, type RedisFacade } from "./redis-facade.ts";
import { runWorker, type RunningWorker } from "./run-worker.ts";
import { keepSecrets, type Secrets } from "./secrets.ts";
import type { SqlBackend } from "./sql-backend.ts";
import { startSqlFacade, type SqlFacade } from "./sql-facade.ts";
import { StartupError } from "./startup-error.ts";

export interface StackOptions {
  /** The project whose Worker is run; this one by default. */
  readonly root?: string;
  /** Where everything is kept; made when it is not there. */
  readonly dataDir: string;
  /** The Worker's port; 0: any free one. */
  readonly port: number;
  /** A real Postgres in place of the embedded one. */
  readonly databaseUrl?: string | undefined;
  /** A running Redis in place of one of our own. */
  readonly redisUrl?: string | undefined;
  /** Whether a `redis-server` or `valkey-server` on the PATH is used; true by default. */
  readonly findRedis?: boolean;
  /** Variables of the Worker in place of those in wrangler.toml. */
  readonly vars?: Readonly<Record<string, string>>;
  /** Ports, latency and faults of the façades. */
  readonly sqlFacade?: FacadeOptions;
  readonly redisFacade?: FacadeOptions;
  /** Whether cron triggers fire; true by default. */
  readonly clock?: boolean;
  /** Empties the data directory first, but keeps the secrets. */
  readonly reset?: boolean;
  /** Hears what has been started. */
  readonly onProgress?: (line: string) => void;
  /** Hears what the Worker writes, which is also kept in `worker.log`. */
  readonly onLog?: (level: string, message: string) => void;
}

export interface Stack {
  /** The Worker's, without a slash at the end. */
  readonly url: string;
  readonly dataDir: string;
  /** What the Worker's secrets are here, by their names. */
  readonly secrets: Secrets;
  readonly sql: SqlFacade & { readonly backend: SqlBackend };
  readonly redis: RedisFacade & { readonly backend: RedisBackend };
  /** Runs the Worker's scheduled handler as `cron` would at `time` (epoch ms). */
  scheduled(cron: string, time: number): Promise<void>;
  /**
   * Stops the cron triggers and waits until the queues are empty; answers how many messages still
   * wait when the time is over, or 0.
   */
  drain(timeoutMs: number): Promise<number>;
  /** Stops everything at once; messages that wait in queues are gone. */
  close(): Promise<void>;
}

/** What `reset` does away with: not the secrets, nor the lock that is held meanwhile. */
const DATA = ["postgres", "postgres.new", "worker", "demo.json"];

const OF_THE_FACADES = ["POSTGRES_PASSWORD", "UPSTASH_REDIS_REST_TOKEN"];

interface Stores {
  readonly postgres: SqlBackend;
  readonly redis: RedisBackend;
}

async function openPostgres(options: StackOptions): Promise<SqlBackend> {
  const { databaseUrl, dataDir, onProgress } = options;
  const directory = join(dataDir, "postgres");
  const postgres =
    databaseUrl === undefined
      ? await openPglite({ dataDir: directory })
      : await openPg(databaseUrl);
  try {
    const applied = await migrate(postgres);
    const where = postgres.kind === "embedded" ? `embedded, in ${directory}` : "of DATABASE_URL";
    onProgress?.(`Postgres ${postgres.version} with pgvector ${postgres.pgvector} (${where})`);
    if (applied > 0) onProgress?.(`Migrations applied: ${applied}`);
    return postgres;
  } catch (error) {
    await postgres.close();
    if (postgres.kind === "server" || !(error instanceof StartupError)) throw error;
    throw new StartupError(`${error.message} To begin anew: npm start -- --reset`, {
      cause: error,
    });
  }
}

async function openRedisOf(options: StackOptions): Promise<RedisBackend> {
  const { redisUrl: url, findRedis = true, onProgress } = options;
  const redis = await openRedis({ url, find: findRedis });
  const where = url === undefined ? "on the PATH" : "of REDIS_URL";
  onProgress?.(
    redis.kind === "embedded"
      ? "Redis: embedded"
      : `Redis: ${redis.kind} ${redis.version} (${where})`,
  );
  return redis;
}

async function startFacades(
  options: StackOptions,
  { postgres, redis }: Stores,
  secrets: Secrets,
  closers: Closers,
) {
  const { POSTGRES_PASSWORD: password = "", UPSTASH_REDIS_REST_TOKEN: token = "" } = secrets;
  return {
    sql: await closers.open(startSqlFacade({ ...options.sqlFacade, backend: postgres, password })),
    redis: await closers.open(startRedisFacade({ ...options.redisFacade, backend: redis, token })),
  };
}

interface Facades {
  readonly sql: SqlFacade;
  readonly redis: RedisFacade;
}

function startWorker(
  options: StackOptions,
  built: BuiltWorker,
  { sql, redis }: Facades,
  secrets: Secrets,
  onLog: (level: string, message: string) => void,
): Promise<RunningWorker> {
  const required = built.secrets.map((name): [string, string] => [name, secrets[name] ?? ""]);
  return runWorker({
    built,
    port: options.port,
    stateDir: join(options.dataDir, "worker"),
    bindings: {
      ...Object.fromEntries(required),
      ...options.vars,
      ENVIRONMENT: "local",
      DATABASE_URL: sql.connectionString,
      NEON_FETCH_ENDPOINT: sql.sqlUrl,
      UPSTASH_REDIS_REST_URL: redis.url,
      UPSTASH_REDIS_REST_TOKEN: redis.token,
    },
    onLog,
  });
}

/** Tells the commands in cli/ where the running stack is; for the owner's eyes, as it has secrets. */
function publish(dataDir: string, url: string, { sql, redis }: Facades, closers: Closers): void {
  const path = join(dataDir, "stack.json");
  const address = {
    pid: process.pid,
    url,
    sqlUrl: sql.sqlUrl,
    connectionString: sql.connectionString,
    redisUrl: redis.url,
    redisToken: redis.token,
  };
  rmSync(path, { force: true });
  writeFileSync(path, `${JSON.stringify(address, null, 2)}\n`, { mode: 0o600 });
  closers.defer(() => rmSync(path, { force: true }));
}

async function start(options: StackOptions, closers: Closers): Promise<Stack> {
  const { dataDir, clock = true } = options;
  await checkPortIsFree(options.port);
  const lock = await takeLock(dataDir);
  closers.defer(() => lock.release());
  if (options.reset === true) {
    for (const name of DATA) rmSync(join(dataDir, name), { recursive: true, force: true });
  }

  const [built, postgres, redis] = await Promise.all([
    buildWorker(options.root),
    closers.open(openPostgres(options)),
    closers.open(openRedisOf(options)),
  ]);
  const names = [...built.secrets, ...OF_THE_FACADES];
  const secrets = keepSecrets(join(dataDir, "secrets.json"), names);
  const facades = await startFacades(options, { postgres, redis }, secrets, closers);

  mkdirSync(dataDir, { recursive: true });
  const log = createWriteStream(join(dataDir, "worker.log"));
  closers.defer(() => void log.end());
  const onLog = (level: string, message: string): void => {
    log.write(`${message}\n`);
    options.onLog?.(level, message);
  };
  const worker = await closers.open(startWorker(options, built, facades, secrets, onLog));
  publish(dataDir, worker.url, facades, closers);
  const stopClock = startClock({
    crons: clock ? worker.crons : [],
    fire: (cron, time) => worker.scheduled(cron, time),
    maintain: () => postgres.maintain(),
    onError: (error) => onLog("error", `On the clock: ${String(error)}`),
  });
  closers.defer(stopClock);

  const { sql, redis: redisFacade } = facades;
  return {
    url: worker.url,
    dataDir,
    secrets,
    sql: { ...sql, backend: postgres },
    redis: { ...redisFacade, backend: redis },
    scheduled: (cron, time) => worker.scheduled(cron, time),
    drain(timeoutMs) {
      stopClock();
      const activity = {
        backlog: () => worker.backlog(),
        requests: () => sql.requests() + redisFacade.requests(),
        active: () => sql.active() + redisFacade.active(),
      };
      return drain(activity, timeoutMs);
    },
    close: () => closers.close(),
  };
}

/**
 * Starts everything on this machine: Postgres with its migrations, Redis, the façades before them,
 * and the Worker in workerd.
 *
 * @throws StartupError when something about the machine is in the way; nothing is left running.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const closers = createClosers();
  try {
    return await start(options, closers);
  } catch (error) {
    await closers.close().catch(() => undefined);
    throw error;
  }
}
