import type { BuildContext } from "../../src/features/build-view.ts";
import type { BuiltState, DefinitionStore } from "../../src/features/definition-store.ts";
import type { EntityRef, LogEvent } from "../../src/features/event-log.ts";
import { contributionsOf, newTenant } from "./log-events.ts";
import type { TruthPorts } from "./stores.ts";

/** Entities of a kind of their own, whose events are folded into nothing but their log. */
export class GrowingLog {
  readonly tenant = newTenant();
  readonly entity = `kind_${this.tenant}`;
  /** By key, version 1 first. */
  readonly events = new Map<string, LogEvent[]>();
  readonly #log: TruthPorts["eventLog"];

  constructor({ eventLog }: Pick<TruthPorts, "eventLog">) {
    this.#log = eventLog;
  }

  ref(key: string): EntityRef {
    return { tenant: this.tenant, entity: this.entity, key };
  }

  /** Commits events, numbered in their order. */
  async commit(key: string, given: readonly LogEvent[]): Promise<void> {
    const ref = this.ref(key);
    const events = given.map((event) => ({ ...event, tenant: this.tenant }));
    const contributions = contributionsOf(events, [ref]);
    for (;;) {
      const input = { events, contributions, touched: [ref], stateIds: [], now: 1 };
      const [snapshot] = (await this.#log.append(input)).entities;
      const folded = events.map(({ source, eventId }) => ({ source, eventId }));
      const { version: readVersion = 0, builds = 0 } = snapshot ?? {};
      const commit = { ...ref, readVersion, builds, folded, poisoned: [], states: [] };
      const { won } = await this.#log.commit([commit], 2);
      if (won[0] === true) break;
    }
    this.events.set(key, [...(this.events.get(key) ?? []), ...events]);
  }
}

export type Building = Pick<
  DefinitionStore,
  "readHistories" | "readVersions" | "putBuiltStates" | "markComplete"
>;

/** What a building asked for, and what it came to. */
export interface Watched {
  readonly ctx: BuildContext;
  /** Method names, with the versions that were asked for. */
  readonly calls: string[];
  readonly stored: BuiltState[];
  /** `key@version`, each write on its own. */
  readonly online: string[];
  readonly progress: (readonly [entities: number, events: number])[];
}

/** The context of a building; `before` is awaited before each of its calls of the database. */
export function watchBuilding(
  definitions: Building,
  before: (method: keyof Building) => Promise<void> = async () => undefined,
): Watched {
  const watched: Omit<Watched, "ctx"> = { calls: [], stored: [], online: [], progress: [] };
  const { calls, stored, online, progress } = watched;
  const ctx: BuildContext = {
    definitions: {
      async readHistories(...args) {
        await before("readHistories");
        calls.push("readHistories");
        return definitions.readHistories(...args);
      },
      async readVersions(ref, versions, bytes) {
        await before("readVersions");
        calls.push(`readVersions ${versions[0]}..${versions.at(-1)}`);
        return definitions.readVersions(ref, versions, bytes);
      },
      async putBuiltStates(states) {
        await before("putBuiltStates");
        const written = await definitions.putBuiltStates(states);
        calls.push(`putBuiltStates ${written.map((one) => (one ? "+" : "-")).join("")}`);
        stored.push(...states.filter((_, i) => written[i] === true));
        return written;
      },
      async markComplete(stateId) {
        await before("markComplete");
        calls.push("markComplete");
        return definitions.markComplete(stateId);
      },
    },
    online: {
      async write(writes, ties) {
        if (ties !== "replace") throw new Error("a built state must replace what a fold has put");
        if (writes.length > 0) {
          online.push(writes.map(({ key, version }) => `${key}@${version}`).join(" "));
        }
        return writes.map(() => true);
      },
    },
    progress: (entities, events) => void progress.push([entities, events]),
  };
  return { ...watched, ctx };
}
