import { onTestFailed } from "vitest";

/** A small generator of numbers from 0 to 1, the same ones for the same seed. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * Other numbers in every run of the test that asks for them, whose seed is told when it fails: with
 * FC_SEED=… they are those again. What happens at once may still happen in another order.
 */
export function seededRandom(): () => number {
  const { FC_SEED } = process.env;
  const seed = FC_SEED === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(FC_SEED);
  onTestFailed(() => console.error(`The numbers of this test are those of FC_SEED=${seed}`));
  return randomOf(seed);
}

/** The items in an order that the numbers decide. */
export const inAnyOrder = <T>(items: readonly T[], random: () => number): readonly T[] =>
  items
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
