import { packSketch, unpackSketch, type Sketch } from "./number-profile.ts";
import type { ViewProfile } from "./view-profile.ts";

/** Pure. A profile as JSON text: maps are lists of pairs, so that no name in them is a key of JSON. */
export const packProfile = (profile: ViewProfile): string =>
  JSON.stringify(profile, (key, value: unknown) => {
    if (key === "sketch") return packSketch(value as Sketch);
    return value instanceof Map ? [...(value as ReadonlyMap<unknown, unknown>)] : value;
  });

/** Pure. What packProfile packed. */
export const unpackProfile = (text: string): ViewProfile =>
  JSON.parse(text, (key, value: unknown) => {
    if (key === "sketch") return unpackSketch(value as string);
    if (key !== "features" && key !== "commonest") return value;
    return new Map(value as readonly (readonly [string, unknown])[]);
  }) as ViewProfile;
