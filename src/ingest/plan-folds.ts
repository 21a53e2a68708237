import type { EntityRef } from "../features/event-log.ts";
import { refText } from "./entity-refs.ts";
import type { IngestMessage, MetWait, Wait } from "./envelope.ts";

/** A waiting request and the entities that it still waits for. */
export interface OpenWait extends Wait {
  readonly tenant: string;
  readonly refs: readonly EntityRef[];
  readonly met: readonly MetWait[];
}

type FoldMessage = Extract<IngestMessage, { kind: "fold" }>;

interface Draft {
  readonly entities: Map<string, EntityRef>;
  readonly waits: FoldMessage["waits"][number][];
  chars: number;
}

/** A character is at most three bytes, and a message at most 128,000. */
const MAX_CHARS = 25_000;
const CHARS_AROUND = 60;

const charsOf = ({ tenant, entity, key }: EntityRef): number =>
  tenant.length + entity.length + key.length + CHARS_AROUND;

/**
 * Pure. The messages that leave entities to later folds. A waiting request travels with every entity
 * that it waits for, so that it is told when all of them are visible, and not before.
 */
export function planFolds(
  entities: readonly EntityRef[],
  waits: readonly OpenWait[],
  tries: number,
): readonly FoldMessage[] {
  const drafts: Draft[] = [];
  const put = (refs: readonly EntityRef[], wait: OpenWait | null): void => {
    const met = wait?.met ?? [];
    const ofMet = met.map(
      ({ source, eventId, at }) => charsOf(at) + source.length + eventId.length,
    );
    const chars = [...refs.map(charsOf), ...ofMet].reduce((a, b) => a + b, CHARS_AROUND);
    let draft = drafts.at(-1);
    if (draft === undefined || draft.chars + chars > MAX_CHARS) {
      draft = { entities: new Map(), waits: [], chars: 0 };
      drafts.push(draft);
    }
    for (const ref of refs) draft.entities.set(refText(ref), ref);
    if (wait !== null) {
      draft.waits.push({ tenant: wait.tenant, token: wait.token, part: wait.part, met });
    }
    draft.chars += chars;
  };
  for (const wait of waits) put(wait.refs, wait);
  const taken = new Set(drafts.flatMap((draft) => [...draft.entities.keys()]));
  for (const ref of entities) if (!taken.has(refText(ref))) put([ref], null);
  return drafts.map((draft) => ({
    v: 1,
    kind: "fold",
    entities: [...draft.entities.values()].map(({ tenant, entity, key }) => ({
      tenant,
      entity,
      key,
    })),
    waits: draft.waits,
    tries,
  }));
}
