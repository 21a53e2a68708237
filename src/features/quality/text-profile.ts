/** Which texts are how common in a sample. */
export interface TextProfile {
  /** The commonest with how many entities have each, commonest first. */
  readonly commonest: ReadonlyMap<string, number>;
  /** How many entities have another one. */
  readonly others: number;
}

const KEPT = 30;
const MOST_CHARACTERS = 64;
/** What a single entity has may tell who that is. */
const FEWEST = 2;

/**
 * Pure. The profile of texts, of which null stands for one that is not to be kept. Named are the 30
 * commonest, by their first 64 characters, of those that two entities or more have.
 */
export function profileTexts(texts: readonly (string | null)[]): TextProfile {
  const counts = new Map<string, number>();
  for (const text of texts) {
    if (text === null) continue;
    const cut =
      text.length > MOST_CHARACTERS ? Array.from(text).slice(0, MOST_CHARACTERS).join("") : text;
    counts.set(cut, (counts.get(cut) ?? 0) + 1);
  }
  const commonest = commonestOf(counts, KEPT).filter(([, count]) => count >= FEWEST);
  const named = commonest.reduce((sum, [, count]) => sum + count, 0);
  return { commonest: new Map(commonest), others: texts.length - named };
}

/** Pure. The commonest texts with their counts, of equally common ones the first in order. */
export const commonestOf = (
  counts: ReadonlyMap<string, number>,
  most: number,
): readonly (readonly [string, number])[] =>
  [...counts].toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)).slice(0, most);

/** Pure. The sum of profiles: a text that one of them does not name is among its others there. */
export function mergeTexts(profiles: readonly TextProfile[]): TextProfile {
  const commonest = new Map<string, number>();
  let others = 0;
  for (const profile of profiles) {
    others += profile.others;
    for (const [text, count] of profile.commonest) {
      commonest.set(text, (commonest.get(text) ?? 0) + count);
    }
  }
  return { commonest, others };
}
