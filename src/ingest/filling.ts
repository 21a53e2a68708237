import { toBase64 } from "../features/bytes.ts";
import {
  stateWrite,
  type Meta,
  type OnlineState,
  type OnlineStore,
  type StateKey,
  type StateWrite,
} from "../features/online-store.ts";
import type { StateArchive, StoredState, WalkCursor } from "../features/state-filling.ts";
import { newId } from "../ids.ts";
import { MINUTE_MS } from "../time.ts";

export interface FillingContext {
  readonly online: Pick<OnlineStore, "read" | "write" | "writeMeta">;
  readonly archive: Pick<StateArchive, "readStates" | "nextMeta">;
  readonly now: () => number;
}

/** A filling of a tenant's online store, and the last entity that it copied. */
export interface Filling {
  readonly tenant: string;
  readonly generation: string;
  readonly after: WalkCursor | null;
}

/** What the online store tells of a tenant's fillings. */
export interface SeenFilling {
  readonly meta: Meta | null;
  /** Which filling began last, and when. */
  readonly begun: OnlineState | null;
  /** Which filling copied a page last, and when. */
  readonly pulse: OnlineState | null;
}

export interface CopiedPage {
  readonly states: readonly StoredState[];
  /** How many entities it has, those without a state among them. */
  readonly entities: number;
  /** How many of its states were missing online, or older. */
  readonly written: number;
  /** Its other states, of which what is online is as new or newer. */
  readonly kept: readonly StoredState[];
  /** Null after the last page. */
  readonly next: WalkCursor | null;
}

/** A filling that made no page for so long has died. */
const STALLED_MS = 3 * MINUTE_MS;

/** States of no view, that hold a filling's generation, with a time as their version. */
const noteKey = (tenant: string, key: "begun" | "pulse"): StateKey => ({
  tenant,
  stateId: "filling@0",
  key,
});

const markOf = (generation: string): string => toBase64(new TextEncoder().encode(generation));

const isOf = (note: OnlineState | null, mark: string): boolean =>
  note?.kind === "state" && note.bytes === mark;

const noteOf = (key: StateKey, generation: string, version: number): StateWrite =>
  stateWrite({ ...key, version, bytes: markOf(generation) });

/** One round trip. */
export async function lookAtFilling(
  { online }: Pick<FillingContext, "online">,
  tenant: string,
): Promise<SeenFilling> {
  const keys = [noteKey(tenant, "begun"), noteKey(tenant, "pulse")];
  const { meta, states } = await online.read(tenant, keys);
  return { meta, begun: states[0] ?? null, pulse: states[1] ?? null };
}

/** Pure. Whether somebody is filling the store: a flush ends that, and so does a standstill. */
export function isUnderWay({ begun, pulse }: SeenFilling, now: number): boolean {
  if (begun?.kind !== "state") return false;
  const pulseAt = pulse !== null && isOf(pulse, begun.bytes) ? pulse.version : 0;
  return now - Math.max(begun.version, pulseAt) < STALLED_MS;
}

/**
 * Begins a filling, which takes over from whichever began before; null where another one began at
 * the same moment.
 */
export async function beginFilling(
  { online, now }: Pick<FillingContext, "online" | "now">,
  tenant: string,
  { begun }: Pick<SeenFilling, "begun">,
): Promise<Filling | null> {
  const generation = newId("gen", now());
  const version = Math.max(now(), (begun?.version ?? 0) + 1);
  const [isOurs] = await online.write([noteOf(noteKey(tenant, "begun"), generation, version)]);
  if (isOurs !== true) return null;
  const marker = { generation, revision: 0, views: {}, revokedKeys: [] };
  await online.writeMeta(tenant, "begin", marker);
  return { tenant, generation, after: null };
}

/**
 * Copies the states of the next `limit` entities. Null, and nothing is copied, where a flush or a
 * later filling came in between: what was copied before may be gone.
 */
export async function copyPage(
  ctx: FillingContext,
  { tenant, generation, after }: Filling,
  limit: number,
): Promise<CopiedPage | null> {
  const [{ begun, pulse }, { states, entities, next }] = await Promise.all([
    lookAtFilling(ctx, tenant),
    ctx.archive.readStates(tenant, after, limit),
  ]);
  if (!isOf(begun, markOf(generation))) return null;
  const beatAt = Math.max(ctx.now(), (pulse?.version ?? 0) + 1);
  const beat = noteOf(noteKey(tenant, "pulse"), generation, beatAt);
  const written = await ctx.online.write([...states.map(stateWrite), beat]);
  const kept = states.filter((_, i) => written[i] !== true);
  return { states, entities, written: states.length - kept.length, kept, next };
}

/**
 * Writes the meta after the last page. False where a flush or a later filling came in between: then
 * there is no meta of this filling.
 */
export async function endFilling(
  { online, archive }: Pick<FillingContext, "online" | "archive">,
  { tenant, generation }: Pick<Filling, "tenant" | "generation">,
): Promise<boolean> {
  const meta = await archive.nextMeta(tenant);
  const isEnded = await online.writeMeta(tenant, "end", { ...meta, generation });
  // Where it died below, its meta is there already.
  if (!isEnded && (await online.read(tenant, [])).meta?.generation !== generation) return false;
  // A change of the truth after that meta was read found no meta to refresh.
  const latest = await archive.nextMeta(tenant);
  await online.writeMeta(tenant, "refresh", { ...latest, generation });
  return isEnded;
}
