import { viewOf, type Asked } from "../features/select.ts";
import type { Resource } from "../governance/role.ts";

/** Pure. What a request reads: a service as such, or each view that its features name. */
export function resourcesOf(asked: Asked): readonly Resource[] {
  const service: readonly Resource[] =
    asked.service === undefined ? [] : [`service:${asked.service}`];
  const views = new Set((asked.features ?? []).map(viewOf));
  return [...service, ...[...views].map((view): Resource => `view:${view}`)];
}
