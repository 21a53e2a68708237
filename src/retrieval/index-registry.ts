/** An index that a deployment wants. */
export interface WantedIndex {
  readonly indexId: string;
  readonly collection: string;
  readonly dimensions: number;
  /** What it was compiled from, as JSON. */
  readonly spec: string;
}

export interface RegisteredIndex {
  readonly indexId: string;
  readonly collection: string;
  /** Every document of the collection is in it. */
  readonly complete: boolean;
  /** Documents of the collection that are not in it yet. */
  readonly waiting: number;
}

/** Port: which indexes there are. One deployment serves all tenants. */
export interface IndexRegistry {
  /**
   * Registers what is not there yet, each with its HNSW index, and retires what is not wanted any
   * more; one that returns keeps what it holds of documents that did not change meanwhile. An index
   * whose collection has no document outside it is complete.
   */
  register(wanted: readonly WantedIndex[], now: number): Promise<readonly RegisteredIndex[]>;
  /** Not the retired ones. */
  list(): Promise<readonly RegisteredIndex[]>;
  /** Marks the index as complete, if every document of its collection is in it. */
  completeIfBuilt(indexId: string): Promise<boolean>;
  /**
   * Removes up to `limit` chunks of retired indexes whose successor is complete, with their terms,
   * and at last the vector index; how many chunks were removed.
   */
  purgeRetired(limit: number): Promise<number>;
}
