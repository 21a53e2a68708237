import english from "./en.json" with { type: "json" };
import japanese from "./ja.json" with { type: "json" };

/** An article of the example's help centre. */
export interface Article {
  readonly id: string;
  readonly title: string;
  /** Markdown. */
  readonly body: string;
  /** `payments`, `refunds`, `security`, `orders`, `account` or `merchants`. */
  readonly topic: string;
  /** `en` or `ja`. */
  readonly language: string;
  /** ISO 8601, UTC. */
  readonly updated_at: string;
}

/** Pure. All articles of the help centre, the English ones first. */
export const readArticles = (): readonly Article[] => [...english, ...japanese];
