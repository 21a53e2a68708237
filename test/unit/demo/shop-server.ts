import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { definitions } from "../../../definitions/index.ts";
import { DEMO_TENANT } from "../../../local/demo/keys.ts";
import { createApp } from "../../../src/app.ts";
import type { Ctx } from "../../../src/context.ts";
import { compileDeployment } from "../../../src/deployment.ts";
import { applyDefinitions } from "../../../src/features/apply-definitions.ts";
import { rolesByName } from "../../../src/governance/built-in-roles.ts";
import { createRevocations } from "../../../src/governance/revocations.ts";
import { createVault } from "../../../src/governance/vault.ts";
import { openViewsInUse } from "../../../src/ingest/views-in-use.ts";
import { consume } from "../../../src/ingest/consume.ts";
import { beginFill } from "../../../src/ingest/fill.ts";
import { indexIdOf } from "../../../src/retrieval/collection-plan.ts";
import { createHashingEmbedder } from "../../../src/retrieval/hashing-embedder.ts";
import { createRoundTrips } from "../../../src/round-trips.ts";
import { createMemoryDeadLetters } from "../../support/fakes/memory-dead-letters.ts";
import { createMemoryDefinitionStore } from "../../support/fakes/memory-definition-store.ts";
import { createMemoryDocuments } from "../../support/fakes/memory-document-index.ts";
import { createMemoryEventLog } from "../../support/fakes/memory-event-log.ts";
import { createMemoryHistoryLog } from "../../support/fakes/memory-history-log.ts";
import { createMemoryIngestQueue } from "../../support/fakes/memory-ingest-queue.ts";
import { createMemoryOnlineStore } from "../../support/fakes/memory-online-store.ts";
import { createMemoryProfileStore } from "../../support/fakes/memory-profile-store.ts";
import { createMemoryQuarantineStore } from "../../support/fakes/memory-quarantine-store.ts";
import { createMemoryServedAnswers } from "../../support/fakes/memory-served-answers.ts";
import {
  createMemoryStateArchive,
  createMemoryStoredStates,
} from "../../support/fakes/memory-state-archive.ts";
import { createMemoryTruth, type MemoryTruth } from "../../support/fakes/memory-truth.ts";
import { deliver } from "../../support/write-path.ts";

export const SIGNING_SECRET = "a signing secret of more than thirty-two bytes";
export const WEBHOOK_SECRET = `whsec_${btoa("a webhook secret of 32 bytes....")}`;

const OPENED = Date.UTC(2026, 10, 22, 12);
const opened = performance.now();

/** The clock of the shop and of its visitors: it runs as any other, and begins on the same day. */
export const shopNow = (): number => Math.floor(OPENED + performance.now() - opened);

export interface ShopServer {
  readonly url: string;
  readonly truth: MemoryTruth;
  /** The requests so far, as `GET /v1/features/customer_spend/c1`; webhooks as `WEBHOOK /v1/…`. */
  readonly requests: string[];
  /** What becomes of the next requests, in their order; after the last, all is well again. */
  readonly faults: ("none" | "busy" | "cut")[];
  close(): Promise<void>;
}

/** The app of this deployment on a port of its own, over stores in memory. */
export async function startShopServer(): Promise<ShopServer> {
  const truth = createMemoryTruth();
  const waiting = createMemoryIngestQueue();
  const { documentIndex, indexRegistry } = createMemoryDocuments();
  const deployment = compileDeployment(definitions);
  const store = createMemoryDefinitionStore(truth);
  const ctx: Ctx = {
    ...deployment,
    inUse: openViewsInUse(deployment.registry, () => store.listViews()),
    roles: rolesByName(),
    config: {
      environment: "local",
      onIncompleteStore: "unavailable",
      signingSecrets: [SIGNING_SECRET],
      skewSample: 0,
      webhookSecrets: () => [{ tenant: DEMO_TENANT, secret: WEBHOOK_SECRET }],
    },
    log: createMemoryEventLog(truth),
    history: createMemoryHistoryLog(truth),
    online: createMemoryOnlineStore(),
    archive: createMemoryStateArchive(truth),
    storedStates: createMemoryStoredStates(truth),
    definitions: store,
    documents: documentIndex,
    indexes: indexRegistry,
    vectorSpaceOf: ({ embedder }) => createHashingEmbedder(embedder.dimensions),
    profiles: createMemoryProfileStore(truth),
    quarantine: createMemoryQuarantineStore(truth),
    servedAnswers: createMemoryServedAnswers(truth),
    queue: {
      async send(messages) {
        await waiting.send(messages);
        void consumeAll();
      },
    },
    deadLetters: createMemoryDeadLetters(),
    vault: createVault("an encryption secret of more than thirty-two bytes"),
    revocations: createRevocations(),
    roundTrips: createRoundTrips(() => performance.now()),
    now: shopNow,
    random: () => 0,
    async sleep(ms) {
      await sleep(ms);
    },
    afterwards: () => undefined,
    note: () => undefined,
  };
  let turn = Promise.resolve();
  async function consumeWaiting(): Promise<void> {
    for (let left = waiting.drain(); left.length > 0; left = waiting.drain()) {
      const deliveries = left.map(({ body }, i) => deliver(body, `${i}`));
      await consume(ctx, deliveries);
    }
  }
  const consumeAll = (): Promise<void> => (turn = turn.then(consumeWaiting));
  await ctx.archive.nextMeta(DEMO_TENANT);
  await applyDefinitions({
    ...ctx,
    progress: () => undefined,
    fold: async () => undefined,
    foldWaiting: async () => undefined,
  });
  const wanted = [...ctx.collections.values()].map((plan) => {
    const space = ctx.vectorSpaceOf(plan);
    const { name: collection, spec } = plan;
    return { indexId: indexIdOf(plan, space), collection, spec, dimensions: space.dimensions };
  });
  await ctx.indexes.register(wanted, shopNow());
  await beginFill(ctx, DEMO_TENANT);
  await consumeAll();

  const app = createApp({
    contextFor() {
      const roundTrips = createRoundTrips(() => performance.now());
      const { online, documents } = ctx;
      const read: typeof online.read = (...args) => {
        roundTrips.count("redis");
        return online.read(...args);
      };
      const search: typeof documents.search = (...args) => {
        roundTrips.count("postgres");
        return documents.search(...args);
      };
      return {
        ...ctx,
        roundTrips,
        online: { ...online, read },
        documents: { ...documents, search },
      };
    },
    logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
  });
  const requests: string[] = [];
  const faults: ShopServer["faults"] = [];
  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = "webhook-id" in incoming.headers ? "WEBHOOK" : incoming.method;
    requests.push(`${method} ${incoming.url}`);
    const fault = faults.shift() ?? "none";
    if (fault === "cut") incoming.destroy();
    else if (fault === "busy") response.writeHead(503, { "retry-after": "0" }).end();
    else {
      const answered = await app.fetch(await toRequest(incoming));
      response.writeHead(answered.status, Object.fromEntries(answered.headers));
      response.end(await answered.text());
    }
  }
  const server = createServer((incoming, response) => void answer(incoming, response));
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    truth,
    requests,
    faults,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => {
        server.close(resolve);
      });
    },
  };
}

async function toRequest(incoming: IncomingMessage): Promise<Request> {
  const body = new Blob((await incoming.toArray()) as Uint8Array<ArrayBuffer>[]);
  return new Request(`http://127.0.0.1${incoming.url}`, {
    method: incoming.method ?? "GET",
    headers: incoming.headers as Record<string, string>,
    ...(body.size > 0 && { body }),
  });
}
