import { hash64 } from "../../../src/features/hash64.ts";
import { fromBase64 } from "../../../src/features/bytes.ts";
import { packProfile, unpackProfile } from "../../../src/features/quality/profile-codec.ts";
import type { ProfileStore } from "../../../src/features/quality/profile-store.ts";
import { floorTo, HOUR_MS } from "../../../src/time.ts";
import { compareBytes, entitiesInOrder, type MemoryTruth } from "./memory-truth.ts";

const FORGOTTEN_AT_ONCE = 100;

export function createMemoryProfileStore(truth: MemoryTruth): ProfileStore {
  const complete = (stateId: string) =>
    truth.views.find(
      (view) => view.stateId === stateId && view.complete && !truth.retired.has(stateId),
    );
  /** A view's profiles, of the earliest hour first. */
  const kept = (tenant: string, stateId: string) =>
    truth.profiles
      .filter((one) => one.tenant === tenant && one.stateId === stateId)
      .toSorted((a, b) => a.hour - b.hour);
  return {
    async findDue(stateIds, hour, limit) {
      return [...truth.tenants.keys()]
        .flatMap((tenant) =>
          stateIds.map((stateId) => ({
            tenant,
            stateId,
            latest: kept(tenant, stateId).at(-1)?.hour ?? Number.NEGATIVE_INFINITY,
          })),
        )
        .filter(({ tenant, stateId, latest }) => {
          const view = complete(stateId);
          const isOf = (entity: string) => entity === view?.entity;
          return (
            latest < hour &&
            [...truth.entities.values()].some(
              (one) => one.tenant === tenant && one.version > 0 && isOf(one.entity),
            )
          );
        })
        .toSorted(
          (a, b) =>
            (a.latest === b.latest ? 0 : a.latest - b.latest) ||
            compareBytes(a.tenant, b.tenant) ||
            compareBytes(a.stateId, b.stateId),
        )
        .slice(0, limit)
        .map(({ tenant, stateId }) => ({ tenant, stateId }));
    },

    async readSample({ tenant, stateId }, entity, size) {
      const place = (key: string): string => {
        const { high, low } = hash64(key);
        return String(high).padStart(10, "0") + String(low).padStart(10, "0");
      };
      const sample = entitiesInOrder(truth)
        .filter((one) => one.tenant === tenant && one.entity === entity && one.states.has(stateId))
        .toSorted((a, b) => (place(a.key) < place(b.key) ? -1 : 1))
        .slice(0, size.entities)
        .filter(({ erasedAt }) => erasedAt === null)
        .map(({ states }) => states.get(stateId)?.bytes ?? "");
      let total = 0;
      return sample.filter((bytes) => (total += fromBase64(bytes).length) <= size.bytes);
    },

    async keep({ tenant, stateId }, profile, { replace, keepFrom }) {
      const old = truth.profiles
        .filter(({ hour }) => hour < keepFrom)
        .toSorted((a, b) => a.hour - b.hour)
        .slice(0, FORGOTTEN_AT_ONCE);
      for (const one of old) truth.profiles.splice(truth.profiles.indexOf(one), 1);
      const { takenAt } = profile;
      const hour = floorTo(takenAt, HOUR_MS);
      const at = truth.profiles.findIndex(
        (one) => one.tenant === tenant && one.stateId === stateId && one.hour === hour,
      );
      const known = truth.profiles[at];
      if (known !== undefined && (!replace || known.takenAt > takenAt)) return false;
      const row = { tenant, stateId, hour, takenAt, profile: packProfile(profile) };
      if (known === undefined) truth.profiles.push(row);
      else truth.profiles[at] = row;
      return true;
    },

    async readProfiles({ tenant, stateId }, spans, most) {
      const own = kept(tenant, stateId);
      return {
        version: complete(stateId)?.version ?? null,
        first: own[0]?.takenAt ?? null,
        last: own.at(-1)?.takenAt ?? null,
        spans: spans.map(({ from, to }) => {
          const parts = new Map<number, string>();
          for (const { takenAt, profile } of own) {
            if (takenAt <= from || takenAt > to) continue;
            parts.set(Math.floor(((takenAt - from - 1) * most) / (to - from)), profile);
          }
          return [...parts.values()].map(unpackProfile);
        }),
      };
    },
  };
}
