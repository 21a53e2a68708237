import { toBase64 } from "../features/bytes.ts";
import {
  stateWrite,
  type Meta,
  type OnlineState,
  type OnlineStore,
  type StateKey,
  type StateWrite,
} from "../features/online-store.ts";
import type { StateArchive } from "../features/state-filling.ts";
import { newId } from "../ids.ts";
import { MINUTE_MS } from "../time.ts";
import type { IngestMessage } from "./envelope.ts";
import type { IngestQueue } from "./ingest-queue.ts";

export interface FillContext {
  readonly online: Pick<OnlineStore, "read" | "write" | "writeMeta">;
  readonly archive: StateArchive;
  readonly queue: IngestQueue;
  readonly now: () => number;
}

/** Entities per page: a page is one read, one write and one message. */
const PAGE = 200;

/** A filling that made no page for so long has lost its message. */
const STALLED_MS = 3 * MINUTE_MS;

const marker = (generation: string): Meta => ({
  generation,
  revision: 0,
  views: {},
  revokedKeys: [],
});

/**
 * A state of no view: it holds the generation of a filling, and its version is the time of the latest
 * page. A flush removes it.
 */
const pulseKey = (tenant: string): StateKey => ({ tenant, stateId: "filling@0", key: "pulse" });

const pulseBytes = (generation: string): string => toBase64(new TextEncoder().encode(generation));

const pulse = (tenant: string, generation: string, version: number): StateWrite => ({
  ...pulseKey(tenant),
  kind: "state",
  version,
  bytes: pulseBytes(generation),
});

async function begin(ctx: FillContext, tenant: string, latest: OnlineState | null): Promise<void> {
  const generation = newId("gen", ctx.now());
  const version = Math.max(ctx.now(), (latest?.version ?? 0) + 1);
  const [isOurs] = await ctx.online.write([pulse(tenant, generation, version)]);
  if (isOurs !== true) return;
  await ctx.online.writeMeta(tenant, "begin", marker(generation));
  await ctx.queue.send([{ v: 1, kind: "fill", tenant, generation, after: null }]);
}

/**
 * Begins to fill the online store of a tenant from the truth. Reads are refused (or say that they
 * are degraded) until it ends. A later beginning takes over from an earlier one.
 */
export async function beginFill(ctx: FillContext, tenant: string): Promise<void> {
  const { states } = await ctx.online.read(tenant, [pulseKey(tenant)]);
  await begin(ctx, tenant, states[0] ?? null);
}

/**
 * Begins to fill the online store of a tenant that has no meta, unless a filling is under way: a
 * large one takes longer than the time between two sweeps. Answers whether it began.
 */
export async function fillWhereEmpty(ctx: FillContext, tenant: string): Promise<boolean> {
  const { meta, states } = await ctx.online.read(tenant, [pulseKey(tenant)]);
  const latest = states[0] ?? null;
  if (meta !== null || (latest !== null && ctx.now() - latest.version < STALLED_MS)) return false;
  await begin(ctx, tenant, latest);
  return true;
}

async function goesOn(ctx: FillContext, tenant: string, generation: string): Promise<boolean> {
  const [beat] = (await ctx.online.read(tenant, [pulseKey(tenant)])).states;
  return beat?.kind === "state" && beat.bytes === pulseBytes(generation);
}

/**
 * Copies one page of states and queues the next; after the last, writes the meta key. Stops where a
 * flush or a later filling came in between: then what it copied so far may be gone.
 */
export async function fillPage(
  ctx: FillContext,
  message: Extract<IngestMessage, { kind: "fill" }>,
): Promise<void> {
  const { tenant, generation, after } = message;
  if (!(await goesOn(ctx, tenant, generation))) return;
  const page = await ctx.archive.readStates(tenant, after, PAGE);
  const writes = page.states.map(stateWrite);
  await ctx.online.write([...writes, pulse(tenant, generation, ctx.now())]);
  if (page.next !== null) {
    await ctx.queue.send([{ ...message, after: page.next }]);
    return;
  }
  const meta = await ctx.archive.nextMeta(tenant);
  if (!(await ctx.online.writeMeta(tenant, "end", { ...meta, generation }))) return;
  // A change of the truth after that meta was read found no meta to refresh.
  const latest = await ctx.archive.nextMeta(tenant);
  await ctx.online.writeMeta(tenant, "refresh", { ...latest, generation });
}
