/** A number of rows; not exact where counting them all would take long. */
export interface Size {
  readonly count: number;
  readonly exact: boolean;
}

/** The entities of one kind, and how many events were folded into them. */
export interface EntitySize {
  readonly entities: number;
  readonly events: number;
  readonly exact: boolean;
}

/** Port: how much there is of something, over all tenants, in one round trip. */
export interface LogSizes {
  measure(asked: {
    readonly entities: readonly string[];
    readonly sources: readonly string[];
    readonly collections: readonly string[];
  }): Promise<{
    readonly entities: ReadonlyMap<string, EntitySize>;
    readonly sources: ReadonlyMap<string, Size>;
    readonly collections: ReadonlyMap<string, Size>;
  }>;
}
