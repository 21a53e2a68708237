import { hash32, type Random } from "./random.ts";

export interface Merchant {
  readonly id: string;
  /** How many customers come by, in proportion. */
  readonly size: number;
  /** What one usually leaves there, in euros. */
  readonly basket: number;
}

/** Somebody with habits. */
export interface Customer {
  readonly id: string;
  readonly email: string;
  readonly home: string;
  /** How often, in proportion. */
  readonly activity: number;
  /** Spends this many times what others do. */
  readonly means: number;
  /** The usual hour of the day, UTC. */
  readonly hour: number;
  /** A chance for each day of the week, from Sunday on, in [0, 1]. */
  readonly week: readonly number[];
  readonly favourites: readonly Merchant[];
  /** A journey, in days before the end, if any. */
  readonly journey: { readonly from: number; readonly to: number; readonly country: string } | null;
}

export interface Shop {
  readonly customers: readonly Customer[];
  readonly merchants: readonly Merchant[];
}

export const DAYS = 60;

const HOMES: readonly (readonly [string, number])[] = [
  ["DE", 50],
  ["AT", 12],
  ["CH", 12],
  ["NL", 10],
  ["FR", 9],
  ["PL", 7],
];
const ABROAD = ["ES", "IT", "GR", "PT", "GB", "US", "JP"];
const BASKETS = [4, 9, 18, 35, 60, 110, 240];
const FIRST = [
  "ada",
  "ben",
  "cleo",
  "dan",
  "eva",
  "finn",
  "gita",
  "hugo",
  "ida",
  "jon",
  "kim",
  "lea",
];
const LAST = [
  "adler",
  "bauer",
  "costa",
  "diaz",
  "ernst",
  "fuchs",
  "gruber",
  "hahn",
  "ito",
  "jansen",
];

/** Pure. The customers and merchants that the draws give, with habits and sizes. */
export function openShop(random: Random, customers: number, merchants: number): Shop {
  const shops = numbered(merchants, (n): Merchant => ({
    id: `m${n}`,
    size: Math.exp(random.normal()),
    basket: random.pick(BASKETS) * Math.exp(random.normal() * 0.2),
  }));
  return {
    customers: numbered(customers, (n) => drawCustomer(random, n, shops)),
    merchants: shops,
  };
}

const numbered = <T>(length: number, make: (n: number) => T): readonly T[] =>
  Array.from({ length }, (_, i) => make(i + 1));

function drawCustomer(random: Random, n: number, merchants: readonly Merchant[]): Customer {
  const [home] = random.weighted(HOMES, ([, share]) => share);
  const name = `${random.pick(FIRST)}.${random.pick(LAST)}`;
  const workdays = random.between(0.4, 1);
  const weekend = random.between(0.2, 1);
  const from = random.int(8, DAYS);
  const favourites = numbered(random.int(3, 6), () =>
    random.weighted(merchants, ({ size }) => size),
  );
  return {
    id: `c${n}`,
    email: `${name}.${hash32(`${name}${n}`) % 1000}@example.com`,
    home,
    activity: Math.exp(random.normal() * 0.8),
    means: Math.exp(random.normal() * 0.5),
    hour: random.between(9, 21),
    week: [
      weekend * 0.7,
      workdays,
      workdays,
      workdays,
      workdays,
      Math.max(workdays, weekend),
      weekend,
    ],
    favourites,
    journey:
      random.next() < 0.25
        ? { from, to: from - random.int(4, 8), country: random.pick(ABROAD) }
        : null,
  };
}
