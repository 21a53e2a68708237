import { definitions } from "../../definitions/index.ts";
import { createApp, type AppType } from "../../src/app.ts";
import type { Config } from "../../src/config.ts";
import type { Ctx } from "../../src/context.ts";
import { applyDefinitions } from "../../src/features/apply-definitions.ts";
import { compileDeployment, type Definition } from "../../src/deployment.ts";
import { signApiKey } from "../../src/governance/api-key.ts";
import { rolesByName } from "../../src/governance/built-in-roles.ts";
import { createRevocations } from "../../src/governance/revocations.ts";
import type { Role } from "../../src/governance/role.ts";
import { createVault } from "../../src/governance/vault.ts";
import { newId } from "../../src/ids.ts";
import { knowOwn } from "../../src/ingest/views-in-use.ts";
import { consume, type Consumed } from "../../src/ingest/consume.ts";
import { beginFill } from "../../src/ingest/fill.ts";
import { parseWebhookSecrets } from "../../src/ingest/signatures/webhook-secrets.ts";
import { createLogger, type Facts } from "../../src/log.ts";
import { indexIdOf } from "../../src/retrieval/collection-plan.ts";
import { createHashingEmbedder } from "../../src/retrieval/hashing-embedder.ts";
import { createRoundTrips, type Destination } from "../../src/round-trips.ts";
import { createMemoryDeadLetters } from "./fakes/memory-dead-letters.ts";
import { createMemoryDefinitionStore } from "./fakes/memory-definition-store.ts";
import { createMemoryDocuments } from "./fakes/memory-document-index.ts";
import { createMemoryEventLog } from "./fakes/memory-event-log.ts";
import { createMemoryHistoryLog } from "./fakes/memory-history-log.ts";
import { createMemoryIngestQueue, type MemoryIngestQueue } from "./fakes/memory-ingest-queue.ts";
import { createMemoryKeyStore } from "./fakes/memory-key-store.ts";
import { createMemoryOnlineStore, type MemoryOnlineStore } from "./fakes/memory-online-store.ts";
import { createMemoryProfileStore } from "./fakes/memory-profile-store.ts";
import { createMemoryQuarantineStore } from "./fakes/memory-quarantine-store.ts";
import { createMemoryServedAnswers } from "./fakes/memory-served-answers.ts";
import {
  createMemoryStateArchive,
  createMemoryStoredStates,
} from "./fakes/memory-state-archive.ts";
import { createMemoryTruth, type MemoryTruth } from "./fakes/memory-truth.ts";
import { withFaults } from "./fakes/with-faults.ts";

const SIGNING_SECRET = "the-signing-secret-of-these-tests-is-long";
export const WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ";
const WEBHOOK_ID = "msg_2026";

/** The headers of a Standard Webhooks request with this body, sent at noon. */
export async function signWebhook(body: string | Uint8Array): Promise<Record<string, string>> {
  const timestamp = String(NOON / 1_000);
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const secret = Uint8Array.from(atob(WEBHOOK_SECRET.slice(6)), (c) => c.charCodeAt(0));
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", secret, algorithm, false, ["sign"]);
  const head = new TextEncoder().encode(`${WEBHOOK_ID}.${timestamp}.`);
  const mac = await crypto.subtle.sign("HMAC", key, Uint8Array.from([...head, ...bytes]));
  return {
    "content-type": "application/json",
    "webhook-id": WEBHOOK_ID,
    "webhook-timestamp": timestamp,
    "webhook-signature": `v1,${btoa(String.fromCharCode(...new Uint8Array(mac)))}`,
  };
}

/** Noon of a day on which the examples of this project happen. */
export const NOON = Date.parse("2026-11-22T12:00:00Z");

export interface KeyOptions {
  readonly tenant?: string;
  readonly roles?: readonly string[];
  readonly origins?: readonly string[];
  readonly keyId?: string;
  readonly exp?: number;
}

export interface Call {
  readonly key?: string | null;
  readonly json?: unknown;
  readonly body?: BodyInit;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestApi {
  readonly app: AppType;
  /** `POST /v1/features/online` with a body and a key. */
  call(route: string, options?: Call): Promise<Response>;
  key(options?: KeyOptions): Promise<string>;
  /** Delivers everything that waits in the queue, as the consumer would get it. */
  settle(): Promise<Consumed>;
  revoke(tenant: string, keyId: string): Promise<void>;
  /** What happens whenever a request sleeps, until its answer. */
  whileWaiting(happening: (ms: number) => Promise<void>): void;
  readonly clock: { now: number };
  readonly truth: MemoryTruth;
  readonly online: MemoryOnlineStore;
  readonly queue: MemoryIngestQueue;
  readonly ctx: () => Ctx;
  /** Work that goes on after the answer. */
  readonly after: Promise<unknown>[];
  /** Lines of the log, parsed. */
  readonly lines: Record<string, unknown>[];
  /** Calls of ports, by destination and method, that fail from now on. */
  readonly broken: Map<string, Error>;
  /** What happens before the next call of a port, by destination and method: once. */
  readonly meanwhile: Map<string, () => Promise<unknown>>;
  /** The texts of each call of the embedder. */
  readonly embedded: (readonly string[])[];
}

export interface TestApiOptions {
  readonly definitions?: readonly Definition[];
  readonly environment?: Config["environment"];
  readonly onIncompleteStore?: Config["onIncompleteStore"];
  /** The share of online answers that is logged; none where nothing is said. */
  readonly skewSample?: number;
  readonly random?: () => number;
  readonly roles?: readonly Role[];
  readonly tenants?: readonly string[];
  /** Stored before, perhaps by other definitions. */
  readonly documents?: ReturnType<typeof createMemoryDocuments>;
  /** False: the indexes of these definitions are not registered. */
  readonly applied?: boolean;
}

/** The whole API over stores in memory, with the example's definitions applied for `acme`. */
export async function createTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  const deployment = compileDeployment(options.definitions ?? definitions);
  const { registry, collections } = deployment;
  const clock = { now: NOON };
  const truth = createMemoryTruth();
  const online = createMemoryOnlineStore();
  const queue = createMemoryIngestQueue();
  const archive = createMemoryStateArchive(truth);
  const { documentIndex, indexRegistry } = options.documents ?? createMemoryDocuments();
  const after: Promise<unknown>[] = [];
  const lines: Record<string, unknown>[] = [];
  const broken = new Map<string, Error>();
  const meanwhile = new Map<string, () => Promise<unknown>>();
  const embedded: (readonly string[])[] = [];
  let asleep: (ms: number) => Promise<void> = async (ms) => void (clock.now += ms);
  const logger = createLogger((_level, line) => {
    lines.push(JSON.parse(line) as Record<string, unknown>);
  });
  const fixed = {
    ...deployment,
    roles: rolesByName(options.roles),
    config: {
      environment: options.environment ?? "production",
      onIncompleteStore: options.onIncompleteStore ?? "unavailable",
      signingSecrets: [SIGNING_SECRET],
      skewSample: options.skewSample ?? 0,
      webhookSecrets(name: string) {
        const parsed = parseWebhookSecrets(`acme:${WEBHOOK_SECRET}`);
        if (!parsed.ok || name !== "PAYMENTS_WEBHOOK_SECRET") throw new Error(`no secret ${name}`);
        return parsed.value;
      },
    },
    vault: createVault("the-encryption-secret-of-these-tests"),
    revocations: createRevocations(),
    deadLetters: createMemoryDeadLetters(),
    now: () => clock.now,
    random: options.random ?? (() => 0),
    sleep: (ms: number) => asleep(ms),
    note: (message: string, facts: Facts) => logger.warn(message, facts),
  };
  const ctx = (afterwards: Ctx["afterwards"] = (work) => void after.push(work())): Ctx => {
    const roundTrips = createRoundTrips(() => clock.now);
    const counted = <T extends object>(destination: Destination, port: T): T =>
      withFaults(port, {
        async before(method, [first]) {
          roundTrips.count(destination);
          const name = `${destination}.${method}`;
          const happening = meanwhile.get(name);
          meanwhile.delete(name);
          await happening?.();
          const error = broken.get(destination) ?? broken.get(name);
          if (error !== undefined) throw error;
          if (name === "embedder.embed") embedded.push(first as readonly string[]);
        },
      });
    const store = counted("postgres", createMemoryDefinitionStore(truth));
    return {
      ...fixed,
      inUse: { own: registry, known, list: () => store.listViews() },
      log: counted("postgres", createMemoryEventLog(truth)),
      history: counted("postgres", createMemoryHistoryLog(truth)),
      online: counted("redis", { ...online }),
      archive: counted("postgres", archive),
      storedStates: counted("postgres", createMemoryStoredStates(truth)),
      definitions: store,
      quarantine: counted("postgres", createMemoryQuarantineStore(truth)),
      servedAnswers: counted("postgres", createMemoryServedAnswers(truth)),
      profiles: counted("postgres", createMemoryProfileStore(truth)),
      documents: counted("postgres", documentIndex),
      indexes: counted("postgres", indexRegistry),
      vectorSpaceOf({ embedder: { kind, dimensions } }) {
        if (kind === "client")
          return { identity: `client/${dimensions}`, dimensions, embedder: null };
        const space = createHashingEmbedder(dimensions);
        const { embedder } = space;
        return { ...space, embedder: embedder === null ? null : counted("embedder", embedder) };
      },
      queue: counted("queue", { ...queue }),
      roundTrips,
      afterwards,
    };
  };
  const known = knowOwn(registry);
  const app = createApp({ contextFor: (_env, afterwards) => ctx(afterwards), logger });

  const settle = async (): Promise<Consumed> => {
    const deliveries = queue.drain().map(({ body }, i) => ({
      id: `delivery-${i}`,
      body,
      attempts: 1,
      ack: () => undefined,
      retry: () => undefined,
    }));
    return consume(ctx(), deliveries);
  };
  await applyDefinitions({
    registry,
    archive,
    online,
    now: fixed.now,
    definitions: createMemoryDefinitionStore(truth),
    progress: () => undefined,
    fold: async () => undefined,
    foldWaiting: async () => undefined,
  });
  const { vectorSpaceOf } = ctx();
  const wanted = [...collections.values()].map((plan) => ({
    indexId: indexIdOf(plan, vectorSpaceOf(plan)),
    collection: plan.name,
    dimensions: plan.embedder.dimensions,
    spec: plan.spec,
  }));
  if (options.applied !== false) await indexRegistry.register(wanted, NOON);
  for (const tenant of options.tenants ?? ["acme"]) await beginFill(ctx(), tenant);
  await settle();

  return {
    app,
    settle,
    clock,
    truth,
    online,
    queue,
    after,
    lines,
    broken,
    meanwhile,
    embedded,
    ctx,
    whileWaiting: (happening) => void (asleep = happening),
    async call(route, { key = null, json, body, headers = {} } = {}) {
      const [method = "GET", path = "/"] = route.split(" ");
      const init: RequestInit & { readonly duplex: "half" } = {
        method,
        headers: {
          ...(key !== null && { authorization: `Bearer ${key}` }),
          ...(json !== undefined && { "content-type": "application/json" }),
          ...headers,
        },
        ...(json !== undefined ? { body: JSON.stringify(json) } : body !== undefined && { body }),
        // Node asks for it where a body is a stream.
        duplex: "half",
      };
      const executionCtx = {
        waitUntil: (work: Promise<unknown>) => void after.push(work),
        passThroughOnException: () => undefined,
        props: {},
      };
      return app.request(path, init, {}, executionCtx);
    },
    async key({ tenant = "acme", roles = ["admin"], origins, keyId, exp } = {}) {
      return signApiKey(SIGNING_SECRET, {
        v: 1,
        tenant,
        kid: keyId ?? newId("key", NOON),
        roles,
        ...(origins !== undefined && { origins }),
        ...(exp !== undefined && { exp }),
      });
    },
    async revoke(tenant, keyId) {
      await createMemoryKeyStore(truth).revoke(tenant, keyId, clock.now);
      await online.writeMeta(tenant, "refresh", await archive.nextMeta(tenant));
    },
  };
}

/** The round trips that an answer says it cost. */
export const trips = (answer: Response): Record<string, number> =>
  Object.fromEntries(
    [...(answer.headers.get("server-timing") ?? "").matchAll(/(\w+);dur=[\d.]+;desc="(\d+)"/g)].map(
      ([, name = "", count]) => [name, Number(count)],
    ),
  );

/** A payment of the example, changed where the test says so. */
export const payment = (changes: Readonly<Record<string, unknown>> = {}) => ({
  payment_id: "p1",
  customer_id: "c1",
  merchant_id: "m1",
  amount: "12.50",
  country: "DE",
  email: "ada@example.com",
  paid_at: "2026-11-22T11:59:00Z",
  ...changes,
});
