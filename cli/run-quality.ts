import type { ViewPlan } from "../src/features/plan.ts";
import { profileView, type ProfileContext } from "../src/features/quality/profile-views.ts";
import { readQuality } from "../src/features/quality/read-quality.ts";
import { printQuality, type QualityEntry } from "../src/routes/quality-entries.ts";
import type { Terminal } from "./args.ts";
import { driftedAbove, qualityText } from "./quality-text.ts";

export interface RunQualityOptions extends ProfileContext {
  readonly tenant: string;
  readonly views: readonly ViewPlan[];
  readonly window: number | undefined;
  readonly baseline: number | undefined;
  /** Whether to take a profile of each view first. */
  readonly takeNow: boolean;
  readonly json: boolean;
  /** Null: no drift is a failure. */
  readonly failAbove: number | null;
  readonly terminal: Terminal;
}

async function entryOf(options: RunQualityOptions, plan: ViewPlan): Promise<QualityEntry> {
  const known = await readQuality(options, plan, options);
  // A view that is still being built lacks entities.
  if (!options.takeNow || known.version === null)
    return printQuality(options.registry, plan, known);
  await profileView(options, plan, options.tenant, true);
  return printQuality(options.registry, plan, await readQuality(options, plan, options));
}

/** Prints the quality of views; answers the exit code: 1 where one drifted by more than it may. */
export async function runQuality(options: RunQualityOptions): Promise<number> {
  const { views, json, failAbove, terminal } = options;
  const entries: QualityEntry[] = [];
  for (const plan of views) entries.push(await entryOf(options, plan));
  if (json) terminal.print(JSON.stringify({ items: entries }, null, 2));
  else {
    for (const [i, entry] of entries.entries()) {
      for (const line of [...(i > 0 ? [""] : []), ...qualityText(entry)]) terminal.print(line);
    }
  }
  if (failAbove === null) return 0;
  const drifted = entries.flatMap((entry) => driftedAbove(entry, failAbove));
  if (drifted.length === 0) return 0;
  terminal.tell(`Drifted by more than ${failAbove}: ${drifted.join(", ")}`);
  return 1;
}
