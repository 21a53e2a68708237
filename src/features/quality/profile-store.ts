import type { ViewProfile } from "./view-profile.ts";

/** A view version of a tenant, by its state id. */
export interface ProfiledView {
  readonly tenant: string;
  readonly stateId: string;
}

/** How much of a view is looked at. */
export interface SampleSize {
  readonly entities: number;
  /** Of packed states; the sample ends before it has more. */
  readonly bytes: number;
}

/** Profiles taken from `from` (excluded) to `to` (included), epoch ms. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** What is kept of a view's profiles. */
export interface KeptProfiles {
  /** The view's version number; null where it is not registered, or not built yet. */
  readonly version: number | null;
  /** When the first and the last profile were taken that are kept. */
  readonly first: number | null;
  readonly last: number | null;
  /** In the order of the spans asked for, oldest first. */
  readonly spans: readonly (readonly ViewProfile[])[];
}

/**
 * Port: samples of entity states, and the profiles that were made of them: of each view and tenant
 * at most one an hour. Each method is one statement and one round trip.
 */
export interface ProfileStore {
  /**
   * Complete views of tenants that have entities for them, and no profile of the hour that begins at
   * `hour` or of a later one: those that waited longest first.
   */
  findDue(
    stateIds: readonly string[],
    hour: number,
    limit: number,
  ): Promise<readonly ProfiledView[]>;
  /**
   * The states (base64) of the entities whose keys have the lowest hashes, so that it is the same
   * sample as long as these are there, without entities that were erased.
   */
  readSample(view: ProfiledView, entity: string, size: SampleSize): Promise<readonly string[]>;
  /**
   * Keeps a profile as that of its hour; where there is one, only if `replace` says so. Forgets some
   * of all profiles taken before `keepFrom`. Answers whether it was kept.
   */
  keep(
    view: ProfiledView,
    profile: ViewProfile,
    options: { readonly replace: boolean; readonly keepFrom: number },
  ): Promise<boolean>;
  /** At most so many profiles of each span: the newest of each of so many equal parts of it. */
  readProfiles(view: ProfiledView, spans: readonly Span[], most: number): Promise<KeptProfiles>;
}
