/** What a model says of one row of features. */
export interface Evaluation {
  /**
   * A regressor's prediction; of two classes the probability of the last one, of more that of the
   * predicted one. Null where a feature is missing that has no stand-in.
   */
  readonly value: number | null;
  /** The predicted class; null for a regressor, and where there is no value. */
  readonly label: string | null;
  readonly probabilities: Readonly<Record<string, number>> | null;
  /** Positions of the features that were missing, ascending. */
  readonly missing: readonly number[];
  readonly explanation?: Explanation;
}

/** What each feature adds to a score: base + Σ contributions is the score. */
export interface Explanation {
  readonly base: number;
  /** By the feature's position. */
  readonly contributions: Float64Array;
}
