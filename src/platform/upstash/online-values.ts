import { AppError } from "../../errors.ts";
import type { Meta, OnlineState, StateKey } from "../../features/online-store.ts";

/** Pure. Tenant and state id hold no colon, so that no two keys are alike; the entity key may. */
export const stateKey = ({ tenant, stateId, key }: StateKey): string =>
  `fr:${tenant}:s:${stateId}:${key}`;
export const metaKey = (tenant: string): string => `fr:${tenant}:meta`;
export const fillingKey = (tenant: string): string => `fr:${tenant}:filling`;
export const appliedKey = (tenant: string, token: string): string =>
  `fr:${tenant}:applied:${token}`;

/** Pure. `<version>:s<base64>` for a state, `<version>:x` for an erased one. */
export function encodeOnlineState(state: OnlineState): string {
  return state.kind === "state" ? `${state.version}:s${state.bytes}` : `${state.version}:x`;
}

/** Pure. Throws AppError `dependency_unavailable` for anything but what encodeOnlineState gives. */
export function decodeOnlineState(value: unknown): OnlineState {
  const match = typeof value === "string" ? /^(0|[1-9]\d{0,15}):([sx])/.exec(value) : null;
  if (typeof value !== "string" || match === null) throw unreadable();
  const version = Number(match[1]);
  const bytes = value.slice(match[0].length);
  if (match[2] === "s" && bytes.length % 4 === 0) return { kind: "state", version, bytes };
  if (match[2] === "x" && bytes === "") return { kind: "erased", version };
  throw unreadable();
}

/** Pure. The revision comes first, where the scripts look for it. */
export function encodeMeta({ revision, generation, views, revokedKeys }: Meta): string {
  return JSON.stringify({ revision, generation, views, revokedKeys });
}

/** Pure. Throws AppError `dependency_unavailable` for anything but what encodeMeta gives. */
export function decodeMeta(value: unknown): Meta {
  if (typeof value !== "string") throw unreadable();
  let meta: Partial<Meta> | null;
  try {
    meta = JSON.parse(value) as Partial<Meta> | null;
  } catch {
    throw unreadable();
  }
  const { revision, generation, views, revokedKeys } = meta ?? {};
  if (!Number.isSafeInteger(revision) || revision === undefined) throw unreadable();
  if (typeof generation !== "string" || !Array.isArray(revokedKeys)) throw unreadable();
  if (typeof views !== "object" || views === null) throw unreadable();
  return { revision, generation, views, revokedKeys };
}

function unreadable(): AppError {
  return new AppError("dependency_unavailable", "The online store holds what it should not.");
}
