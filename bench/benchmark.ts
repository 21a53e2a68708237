/** One line of the table at the end. */
export interface Finding {
  readonly what: string;
  readonly measured: string;
  /** What it is compared with, or how far the rounds were apart. */
  readonly beside: string;
  /** What it should be; empty where nothing was promised. */
  readonly aim: string;
  readonly met: boolean | null;
}

export interface BenchmarkResult {
  readonly findings: readonly Finding[];
  /** Every number, for `--json`. */
  readonly data: unknown;
}

/** Where a benchmark writes what it finds, a line at a time. */
export type Say = (lines: readonly string[]) => void;

export interface RunOptions {
  /** Larger sizes, which take longer. */
  readonly full: boolean;
}

export interface Benchmark {
  readonly name: string;
  /** One sentence: what its numbers mean and what they are compared with. */
  readonly meaning: string;
  run(say: Say, options: RunOptions): Promise<BenchmarkResult>;
}
