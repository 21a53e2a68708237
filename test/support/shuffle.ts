import fc from "fast-check";

/** Keys to shuffle up to 64 items by. */
export const anyOrder = fc.array(fc.nat({ max: 1_000_000 }), { minLength: 64, maxLength: 64 });

/** Pure. The items in the order of their keys. */
export const shuffled = <T>(items: readonly T[], order: readonly number[]): readonly T[] =>
  items
    .map((item, i) => ({ item, key: order[i % order.length] ?? 0 }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ item }) => item);
