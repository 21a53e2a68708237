/** What one view answered online of one entity, as it went out. */
export interface ServedAnswer {
  readonly tenant: string;
  /** Unique, and sorts by `servedAt`. */
  readonly id: string;
  /** The service that was asked for; null where features were named. */
  readonly service: string | null;
  readonly view: string;
  readonly entity: string;
  /** The entity's canonical key in the view: a token where it is personal data. */
  readonly key: string;
  /** View version and entity version, as `2.17`. */
  readonly version: string;
  /** The instant of the values, epoch ms. */
  readonly asOf: number;
  /** When it was answered, epoch ms. */
  readonly servedAt: number;
  /** Those of the view's features that were asked for, and what was said of each. */
  readonly features: readonly string[];
  readonly values: readonly unknown[];
  readonly statuses: readonly string[];
  /** Of the features, those whose value was a bound that was reached. */
  readonly capped: readonly string[];
}

export interface ServedAnswersPage {
  readonly tenant: string;
  /** Those served from then on, epoch ms. */
  readonly since: number;
  /** Those with a smaller id; null begins with the newest. */
  readonly before: string | null;
  readonly limit: number;
}

/**
 * Port: the sample of answers that the skew audit replays. Each method is one statement and throws
 * AppError `dependency_unavailable` when the store is down or too slow.
 */
export interface ServedAnswers {
  /** Keeps them; one whose id is there already changes nothing. */
  add(answers: readonly ServedAnswer[]): Promise<void>;
  /** Newest first. */
  list(page: ServedAnswersPage): Promise<readonly ServedAnswer[]>;
  /** Forgets at most `limit` of those that were served before `time`; answers how many. */
  removeBefore(time: number, limit: number): Promise<number>;
}
