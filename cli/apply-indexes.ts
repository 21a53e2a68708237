import { setTimeout as sleep } from "node:timers/promises";
import { spaceIdentity } from "../src/platform/vector-spaces.ts";
import { indexIdOf, type CollectionPlan } from "../src/retrieval/collection-plan.ts";
import type { IndexRegistry, RegisteredIndex } from "../src/retrieval/index-registry.ts";

export interface ApplyIndexesOptions {
  readonly collections: ReadonlyMap<string, CollectionPlan>;
  readonly indexes: IndexRegistry;
  /** Whether the Worker runs on this machine, where no embedding model is within reach. */
  readonly local: boolean;
  readonly print: (line: string) => void;
  /** Done between two looks; by default waits. */
  readonly pause?: () => Promise<void>;
}

const LOOK_MS = 2_000;
/** The cron comes once a minute; after so many looks without progress somebody should know. */
const PATIENCE = 90;

const counted = (count: number): string => (count === 1 ? "1 document" : `${count} documents`);

/**
 * Registers the collections' indexes and waits until the Worker's cron has put all documents into
 * those that are new; false where it does not get on. Printing a line for each step.
 */
export async function applyIndexes(options: ApplyIndexesOptions): Promise<boolean> {
  const { collections, indexes, local, print, pause = () => sleep(LOOK_MS) } = options;
  const wanted = [...collections.values()].map((plan) => ({
    indexId: indexIdOf(plan, { identity: spaceIdentity(plan.embedder, local) }),
    collection: plan.name,
    dimensions: plan.embedder.dimensions,
    spec: plan.spec,
  }));
  const before = new Set((await indexes.list()).map(({ indexId }) => indexId));
  let registered = await indexes.register(wanted, Date.now());
  const isNew = ({ indexId }: RegisteredIndex): boolean => !before.has(indexId);
  for (const one of registered.filter(isNew)) {
    const work = one.complete ? "" : `, to be built for ${counted(one.waiting)}`;
    print(`${one.collection} has a new index${work}`);
  }
  const unchanged = registered.filter((one) => !isNew(one)).length;
  if (unchanged > 0) print(`${unchanged} ${unchanged === 1 ? "index" : "indexes"} unchanged`);

  let [left, looks] = [leftOf(registered), 0];
  while (registered.some(({ complete }) => !complete)) {
    if (looks === PATIENCE) {
      print(
        `${counted(left)} left, and the Worker does not get on: is it deployed with these ` +
          "definitions? See its log; it goes on by cron.",
      );
      return false;
    }
    await pause();
    registered = await indexes.list();
    const now = leftOf(registered);
    looks = now < left ? 0 : looks + 1;
    if (now !== left) print(`  ${counted(now)} left to be put into their new index`);
    left = now;
  }
  return true;
}

const leftOf = (indexes: readonly RegisteredIndex[]): number =>
  indexes.reduce((sum, { complete, waiting }) => (complete ? sum : sum + waiting), 0);
