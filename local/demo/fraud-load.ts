/** The payments on which the fraud model is trained: an example that began at a fixed instant. */
export const FRAUD_LOAD = {
  seed: "freshet",
  now: Date.UTC(2026, 10, 1),
  payments: 6_000,
} as const;

export const TRAINED_ON =
  "6,000 payments of the example, of the 60 days before 2026-11-01: the features that the service " +
  "would have answered just before each. Fitted to the first four fifths of the time, with the " +
  "threshold of the highest F1 there; the last fifth is the holdout. Made by npm run train:fraud.";
