import type { RegisteredDefinition } from "./definition-history.ts";
import type { DefinitionKind, DefinitionRecord } from "./definition-record.ts";
import { diffSpec, type Change } from "./diff-spec.ts";

/** A definition that is not as it was applied. */
export interface Difference {
  readonly kind: DefinitionKind;
  readonly name: string;
  readonly action: "added" | "changed" | "removed";
  /** The version in use; null where there is none. */
  readonly from: number | null;
  /** The version that it will be; null where it is removed. */
  readonly to: number | null;
  /** What is different; empty but for `changed`. */
  readonly changes: readonly Change[];
}

const identity = ({ kind, name }: Pick<DefinitionRecord, "kind" | "name">): string =>
  `${kind} ${name}`;

/**
 * Pure. What differs between the definitions wanted and those registered, in the order wanted, and
 * what is removed at the end. A specification that was there before has its old version again.
 */
export function diffDefinitions(
  wanted: readonly DefinitionRecord[],
  registered: readonly RegisteredDefinition[],
): readonly Difference[] {
  const history = Map.groupBy(registered, identity);
  const differences = wanted.flatMap((definition): readonly Difference[] => {
    const { kind, name, spec } = definition;
    const versions = history.get(identity(definition)) ?? [];
    const inUse = versions.filter(({ retired }) => !retired);
    if (inUse.some((one) => one.spec === spec)) return [];
    const live = inUse.toSorted((a, b) => a.version - b.version).at(-1);
    const next = 1 + Math.max(0, ...versions.map(({ version }) => version));
    return [
      {
        kind,
        name,
        action: live === undefined ? "added" : "changed",
        from: live?.version ?? null,
        to: versions.find((one) => one.spec === spec)?.version ?? next,
        changes: live === undefined ? [] : diffSpec(live.spec, spec),
      },
    ];
  });
  const kept = new Set(wanted.map(identity));
  const removed = registered
    .filter((one) => !one.retired && !kept.has(identity(one)))
    .map(({ kind, name, version }): Difference => ({
      kind,
      name,
      action: "removed",
      from: version,
      to: null,
      changes: [],
    }));
  return [...differences, ...removed];
}
