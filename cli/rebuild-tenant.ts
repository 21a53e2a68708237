import { AppError } from "../src/errors.ts";
import type { OnlineStore } from "../src/features/online-store.ts";
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

export interface RebuildTenantOptions {
  readonly tenant: string;
  /** Whether reads go on from what is there; else they are told that the store is incomplete. */
  readonly keepServing: boolean;
  readonly onPage: (page: CopiedPage) => void;
  /** What was done is lost, and done anew. */
  readonly onRestart: () => void;
}

/** Entities per page. */
const PAGE = 500;
const BEGINNINGS = 5;
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
 * Fills the online store of a tenant from the truth, here and now; older states are replaced, newer
 * ones kept. Safe beside consumers, beside the Worker's filling (which gives way) and when it dies
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
    onPage(page);
    if (sample.length === 0) sample = page.states;
    after = page.next;
  } while (after !== null);
  const ended = await patiently(ctx, () => endFilling(ctx, begun));
  return isFilled(ctx, begun, ended, sample);
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
  if (lost === 0) return true;
  throw new AppError(
    "dependency_unavailable",
    `${tenant}: ${lost} of ${sample.length} states are gone that were just written. Does this Redis ` +
      "evict keys (maxmemory-policy)? It has to keep them all.",
  );
}
