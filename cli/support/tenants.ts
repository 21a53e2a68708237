import type { OnlineStore } from "../../src/features/online-store.ts";
import type { StateArchive } from "../../src/features/state-filling.ts";
import type { KeyStore } from "../../src/governance/key-store.ts";
import { newId } from "../../src/ids.ts";

export interface TenantStores {
  readonly keys: KeyStore;
  readonly archive: StateArchive;
  readonly online: OnlineStore;
}

/**
 * A key store whose changes reach the online store at once: a new tenant can be read from before
 * its first event, and a revoked key is refused within the delay that governance/revocations.ts
 * states.
 */
export function createLiveKeyStore({ keys, archive, online }: TenantStores): KeyStore {
  return {
    async registerTenant(tenant, now) {
      const isNew = await keys.registerTenant(tenant, now);
      const { meta } = await online.read(tenant, []);
      const { states } = await archive.readStates(tenant, null, 1);
      // With states, and nothing online, the store was flushed: the sweep fills it.
      if (meta !== null || states.length > 0) return isNew;
      const generation = newId("gen", now);
      const begun = { generation, revision: 0, views: {}, revokedKeys: [] };
      await online.writeMeta(tenant, "begin", begun);
      await online.writeMeta(tenant, "end", { ...(await archive.nextMeta(tenant)), generation });
      return isNew;
    },
    async revoke(tenant, kid, now) {
      const first = await keys.revoke(tenant, kid, now);
      await online.writeMeta(tenant, "refresh", await archive.nextMeta(tenant));
      return first;
    },
  };
}
