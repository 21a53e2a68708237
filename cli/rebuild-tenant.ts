import { AppError } from "../src/errors.ts";
import { stateWrite, type OnlineStore, type StateKey } from "../src/features/online-store.ts";
import type { StoredState } from "../src/features/state-filling.ts";
import {
  beginFilling,
  copyPage,
  endFilling,
  lookAtFilling,
  type CopiedPage,
  type Filling,
  type FillingContext,
} from "../src/ingest/filling.ts";

export interface RebuildContext extends FillingContext {
  readonly online: Pick<OnlineStore, "read" | "write" | "writeMeta" | "dropMeta">;
  readonly sleep: (ms: number) => Promise<void>;
  readonly tell: (line: string) => void;
  /** Awaited before every page: throws where the work is somebody else's by now. */
  readonly hold: () => Promise<void>;
}

/** A page that was copied, and compared with what was as new online. */
export interface MendedPage extends CopiedPage {
  /** How many of its states were online at their version, and not the same. */
  readonly mended: number;
}

export interface RebuildTenantOptions {
  readonly tenant: string;
  /** Whether reads go on from what is there; else they are told that the store is incomplete. */
  readonly keepServing: boolean;
  readonly onPage: (page: MendedPage) => void;
  /** What was done is lost, and done anew. */
  readonly onRestart: () => void;
}

/** Entities per page. */
const PAGE = 500;
const BEGINNINGS = 5;
/** A build writes a state of an entity once: one more than that is one too many. */
const MENDINGS = 5;
/** Waits between tries, while a store does not answer. */
const WAITS_MS = [1_000, 3_000, 9_000];

const isDown = (error: unknown): error is AppError =>
  error instanceof AppError &&
  (error.code === "dependency_unavailable" || error.code === "timeout");

/** Tries again what is safe to be done twice. */
async function patiently<T>(ctx: RebuildContext, step: () => Promise<T>): Promise<T> {
  for (const waitMs of WAITS_MS) {
    try {
      return await step();
    } catch (error) {
      if (!isDown(error)) throw error;
      ctx.tell(`${error.message} Trying again in ${waitMs / 1_000} s.`);
      await ctx.sleep(waitMs);
    }
  }
  return step();
}

/**
 * Fills the online store of a tenant from the truth, here and now; states that are older, or not the
 * same at their version, are replaced, newer ones kept. Safe beside consumers, beside the Worker's filling (which gives way) and when it dies
 * (the cron fills what has no meta). Begins again where a flush comes in between. Throws AppError
 * `conflict` where that happens again and again, `dependency_unavailable` where a store is down or
 * loses what is written.
 */
export async function rebuildTenant(
  ctx: RebuildContext,
  options: RebuildTenantOptions,
): Promise<void> {
  const { tenant } = options;
  for (let beginning = 1; beginning <= BEGINNINGS; beginning += 1) {
    if (await fillOnce(ctx, options)) return;
    ctx.tell(`${tenant}: flushed, or filled by somebody else, in the middle. Beginning again.`);
    options.onRestart();
  }
  throw new AppError("conflict", `${tenant}: something keeps flushing the online store.`);
}

async function fillOnce(ctx: RebuildContext, options: RebuildTenantOptions): Promise<boolean> {
  const { tenant, keepServing, onPage } = options;
  const begun = await patiently(ctx, async () =>
    beginFilling(ctx, tenant, await lookAtFilling(ctx, tenant)),
  );
  if (begun === null) return false;
  // After the beginning, so that no earlier filling can end and bring the meta back.
  if (!keepServing) await patiently(ctx, () => ctx.online.dropMeta(tenant));
  let sample: readonly StoredState[] = [];
  let after: Filling["after"] = null;
  do {
    await ctx.hold();
    const from: Filling = { ...begun, after };
    const page = await patiently(ctx, () => copyPage(ctx, from, PAGE));
    if (page === null) return false;
    onPage({ ...page, mended: await mendPage(ctx, from, page.kept) });
    if (sample.length === 0) sample = page.states;
    after = page.next;
  } while (after !== null);
  const ended = await patiently(ctx, () => endFilling(ctx, begun));
  return isFilled(ctx, begun, ended, sample);
}

const nameOf = ({ stateId, key }: StateKey): string => `${stateId}\n${key}`;

/**
 * Replaces what is online at the version of the truth, and is not the same. Answers how many that
 * were. A build may have written another state of that version a moment ago: what was replaced is
 * compared with the truth once more, until there is nothing to replace.
 */
async function mendPage(
  ctx: RebuildContext,
  { tenant, after }: Filling,
  kept: readonly StoredState[],
): Promise<number> {
  const mended = new Set<string>();
  let suspects = kept;
  for (let tries = 0; tries < MENDINGS && suspects.length > 0; tries += 1) {
    const writes = suspects.map(stateWrite);
    const written = await patiently(ctx, () => ctx.online.write(writes, "replace"));
    const replaced = new Set(suspects.filter((_, i) => written[i] === true).map(nameOf));
    if (replaced.size === 0) break;
    for (const name of replaced) mended.add(name);
    const { states } = await patiently(ctx, () => ctx.archive.readStates(tenant, after, PAGE));
    suspects = states.filter((state) => replaced.has(nameOf(state)));
  }
  return mended.size;
}

/** Reads back what a filling left: its meta, and the states that it wrote first. */
async function isFilled(
  ctx: RebuildContext,
  { tenant, generation }: Filling,
  ended: boolean,
  sample: readonly StoredState[],
): Promise<boolean> {
  const { meta, states } = await patiently(ctx, () => ctx.online.read(tenant, sample));
  // The answer to the end may have been lost.
  if (meta === null || !(ended || meta.generation === generation)) return false;
  const lost = sample.filter(({ version }, i) => (states[i]?.version ?? -1) < version).length;
  if (lost > 0) {
    throw new AppError(
      "dependency_unavailable",
      `${tenant}: ${lost} of ${sample.length} states are gone that were just written. Does this Redis ` +
        "evict keys (maxmemory-policy)? It has to keep them all.",
    );
  }
  const others = sample.filter((state, i) => {
    const held = states[i];
    return held?.version === state.version && (held.kind !== "state" || held.bytes !== state.bytes);
  });
  if (others.length === 0) return true;
  // What is another because a build has written it meanwhile, the truth has as well.
  const truth = await patiently(ctx, () => ctx.archive.readStates(tenant, null, PAGE));
  const bytesOf = new Map(truth.states.map((state) => [nameOf(state), state.bytes]));
  const damaged = others.filter((state) => bytesOf.get(nameOf(state)) === state.bytes).length;
  if (damaged === 0) return true;
  throw new AppError(
    "dependency_unavailable",
    `${tenant}: ${damaged} of ${sample.length} states are not what was just written. Does something ` +
      "else write to this Redis?",
  );
}
