/** A unit vector, or null for a text of which nothing can be said. */
export type Embedding = readonly number[] | null;

/** What a text is embedded as: models put questions and answers beside each other. */
export type Purpose = "document" | "query";

/** Where the vectors of an index come from. */
export interface VectorSpace {
  /** Names model and dimensions, as `workers-ai/@cf/baai/bge-m3/1024`. */
  readonly identity: string;
  readonly dimensions: number;
  /** Null where clients give the vectors. */
  readonly embedder: Embedder | null;
}

/** Port: turns texts into vectors. */
export interface Embedder {
  /**
   * A vector for each text, in their order. Any number of texts is split into requests of the size
   * that the model takes; one text is always one request. A text longer than the model reads is cut.
   * Throws AppError `dependency_unavailable` or `timeout`.
   */
  embed(texts: readonly string[], purpose: Purpose): Promise<readonly Embedding[]>;
}
