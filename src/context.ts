import { readConfig, type Config } from "./config.ts";
import type { Deployment } from "./deployment.ts";
import type { DefinitionStore } from "./features/definition-store.ts";
import type { EventLog } from "./features/event-log.ts";
import type { HistoryLog } from "./features/history/history-log.ts";
import type { ServedAnswers } from "./features/served-answers.ts";
import type { Registry } from "./features/registry.ts";
import type { OnlineStore, StateReader } from "./features/online-store.ts";
import type { ProfileStore } from "./features/quality/profile-store.ts";
import type { StateArchive } from "./features/state-filling.ts";
import { rolesByName } from "./governance/built-in-roles.ts";
import { createRevocations, type Revocations } from "./governance/revocations.ts";
import type { Role } from "./governance/role.ts";
import { createVault, type Vault } from "./governance/vault.ts";
import type { IngestMessage } from "./ingest/envelope.ts";
import type { IngestQueue } from "./ingest/ingest-queue.ts";
import { knowOwn, type KnownViews, type ViewsInUse } from "./ingest/views-in-use.ts";
import type { DeadLetterArchive, QuarantineStore } from "./ingest/quarantine-store.ts";
import type { Facts, Logger } from "./log.ts";
import { createDefinitionStore } from "./platform/neon/definition-store.ts";
import { createEventLog } from "./platform/neon/event-log.ts";
import { createDocumentIndex } from "./platform/neon/document-index.ts";
import { createIndexRegistry } from "./platform/neon/index-registry.ts";
import { createHistoryLog } from "./platform/neon/history-log.ts";
import { createProfileStore } from "./platform/neon/profile-store.ts";
import { createQuarantineStore } from "./platform/neon/quarantine-store.ts";
import { createServedAnswers } from "./platform/neon/served-answers.ts";
import { createSqlClient, type SqlClient } from "./platform/neon/sql-client.ts";
import { createStateArchive } from "./platform/neon/state-archive.ts";
import { createStoredStates } from "./platform/neon/stored-states.ts";
import { createIngestQueue } from "./platform/queues/ingest-queue.ts";
import { createDeadLetters } from "./platform/r2/dead-letters.ts";
import { createOnlineStore } from "./platform/upstash/online-store.ts";
import { createVectorSpaces } from "./platform/vector-spaces.ts";
import type { CollectionPlan } from "./retrieval/collection-plan.ts";
import type { DocumentIndex } from "./retrieval/document-index.ts";
import type { VectorSpace } from "./retrieval/embedder.ts";
import type { IndexRegistry } from "./retrieval/index-registry.ts";
import { createRoundTrips, type RoundTrips } from "./round-trips.ts";

/** Everything that verbs may ask for. Stores are made when they are first used, per request. */
export interface Ctx extends Deployment {
  readonly inUse: ViewsInUse;
  readonly roles: ReadonlyMap<string, Role>;
  readonly config: Pick<
    Config,
    "environment" | "onIncompleteStore" | "signingSecrets" | "skewSample" | "webhookSecrets"
  >;
  readonly log: EventLog;
  readonly history: HistoryLog;
  readonly online: OnlineStore;
  /** The states as the truth has them, for reads in place of the online store. */
  readonly storedStates: StateReader;
  readonly archive: StateArchive;
  readonly definitions: DefinitionStore;
  readonly documents: DocumentIndex;
  readonly indexes: IndexRegistry;
  /** Where a collection's vectors come from, in this environment. */
  readonly vectorSpaceOf: (collection: CollectionPlan) => VectorSpace;
  readonly profiles: ProfileStore;
  readonly quarantine: QuarantineStore;
  readonly servedAnswers: ServedAnswers;
  readonly queue: IngestQueue;
  readonly deadLetters: DeadLetterArchive;
  readonly vault: Vault;
  /** What this isolate knows of revoked keys. */
  readonly revocations: Revocations;
  readonly roundTrips: RoundTrips;
  /** Epoch ms. */
  readonly now: () => number;
  readonly random: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  /** Does work after the answer, for up to thirty seconds. */
  readonly afterwards: (work: () => Promise<unknown>) => void;
  readonly note: (message: string, facts: Facts) => void;
}

export interface Surroundings {
  readonly env: Env;
  readonly deployment: Deployment;
  readonly now: () => number;
  readonly afterwards: Ctx["afterwards"];
  readonly logger: Logger;
}

/** Plain values that outlive a request; what does I/O may not. */
const revocations = createRevocations();
const roles = rolesByName();
const knownViews = new WeakMap<Registry, KnownViews>();

/** The value of `make`, made when it is first asked for. */
function once<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

/** The context of one request, batch or cron run. Throws a ConfigError where a setting is missing. */
export function contextFrom({ env, deployment, now, afterwards, logger }: Surroundings): Ctx {
  const config = readConfig(env);
  const trips = createRoundTrips(() => performance.now());
  const { postgresMs, postgresReadMs } = config.deadlines;
  const sqlWithin = (ms: number) => trips.timed("postgres", sqlClient(config, trips, ms));
  const sql = once(() => sqlWithin(postgresMs));
  const online = once(() => trips.timed("redis", onlineStore(config, trips)));
  const queue = once(() =>
    trips.timed(
      "queue",
      createIngestQueue(env.INGEST_QUEUE as Queue<IngestMessage>, () => trips.count("queue")),
    ),
  );
  const log = once(() => createEventLog(sql()));
  const history = once(() => createHistoryLog(sql()));
  const archive = once(() => createStateArchive(sql()));
  const storedStates = once(() => createStoredStates(sqlWithin(postgresReadMs)));
  const definitions = once(() => createDefinitionStore(sql()));
  const profiles = once(() => createProfileStore(sql()));
  const quarantine = once(() => createQuarantineStore(sql()));
  const servedAnswers = once(() => createServedAnswers(sql()));
  const vault = once(() => createVault(config.encryptionSecret));
  const deadLetters = once(() => createDeadLetters(env.DEAD_LETTERS));
  const vectorSpaces = once(() => embedders(env, config, trips));
  const documents = once(() => createDocumentIndex(sql()));
  const indexes = once(() => createIndexRegistry(sql()));
  const own = deployment.registry;
  const known = knownViews.get(own) ?? knowOwn(own);
  knownViews.set(own, known);
  return {
    ...deployment,
    registry: known.registry,
    inUse: { own, known, list: () => definitions().listViews() },
    roles,
    config,
    get log() {
      return log();
    },
    get history() {
      return history();
    },
    get online() {
      return online();
    },
    get storedStates() {
      return storedStates();
    },
    get archive() {
      return archive();
    },
    get definitions() {
      return definitions();
    },
    get documents() {
      return documents();
    },
    get indexes() {
      return indexes();
    },
    vectorSpaceOf: ({ embedder }) => vectorSpaces()(embedder),
    get profiles() {
      return profiles();
    },
    get quarantine() {
      return quarantine();
    },
    get servedAnswers() {
      return servedAnswers();
    },
    get queue() {
      return queue();
    },
    get deadLetters() {
      return deadLetters();
    },
    get vault() {
      return vault();
    },
    revocations,
    roundTrips: trips,
    now,
    random: () => Math.random(),
    sleep: (ms) =>
      new Promise((resolve) => {
        setTimeout(resolve, ms);
      }),
    afterwards,
    note: (message, facts) => logger.warn(message, facts),
  };
}

function sqlClient(config: Config, trips: RoundTrips, timeoutMs: number): SqlClient {
  const { databaseUrl, neonFetchEndpoint } = config;
  return createSqlClient({
    connectionString: databaseUrl,
    ...(neonFetchEndpoint === undefined ? {} : { fetchEndpoint: neonFetchEndpoint }),
    timeoutMs,
    onRoundTrip: () => trips.count("postgres"),
  });
}

function onlineStore(config: Config, trips: RoundTrips): OnlineStore {
  const { redisUrl, redisToken, deadlines } = config;
  return createOnlineStore({
    url: redisUrl,
    token: redisToken,
    readTimeoutMs: deadlines.redisReadMs,
    writeTimeoutMs: deadlines.redisWriteMs,
    onRoundTrip: () => trips.count("redis"),
  });
}

const embedders = (env: Env, config: Config, trips: RoundTrips) =>
  createVectorSpaces({
    local: config.environment === "local",
    ai: env.AI,
    access: (baseUrl, apiKey) => config.embedderAccess(baseUrl, apiKey),
    timeoutMs: config.deadlines.embedderMs,
    onRoundTrip: () => trips.count("embedder"),
    timed: (embedder) => trips.timed("embedder", embedder),
  });
