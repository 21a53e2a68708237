import { AppError } from "../../src/errors.ts";

/**
 * What happens at a step: it goes on, its consumer dies before or after it, the store is down, or
 * the store does it and the answer is lost.
 */
export type Fate = "go" | "die-before" | "die-after" | "store-down" | "lose-answer";

interface Waiting {
  readonly release: () => void;
}

/**
 * Runs consumers one step at a time, a step being a call of a port. At every step the script says
 * whose turn it is; so any interleaving can be made, and made again.
 */
export class Interleaving {
  readonly #waiting = new Map<number, Waiting>();
  readonly #fates: Fate[];
  readonly #turns: readonly number[];
  #turn = 0;
  #running = 0;
  #wake: () => void = () => undefined;

  constructor(turns: readonly number[], fates: readonly Fate[]) {
    this.#turns = turns;
    this.#fates = [...fates];
  }

  /** The port as one consumer calls it; `die` is called where the script kills the consumer. */
  port<T extends object>(consumer: number, port: T, die: () => void): T {
    type Method = (...args: readonly unknown[]) => Promise<unknown>;
    const dead = async (): Promise<never> => {
      // Who ran it goes on without it, with the next batch, as the runtime does.
      die();
      return new Promise<never>(() => undefined);
    };
    const wrap =
      (method: Method): Method =>
      async (...args) => {
        await this.#pause(consumer);
        const fate = this.#fates.shift() ?? "go";
        if (fate === "die-before") return dead();
        if (fate === "store-down") throw new AppError("dependency_unavailable", "store down");
        const answer = await method(...args);
        if (fate === "die-after") return dead();
        if (fate === "lose-answer") throw new AppError("dependency_unavailable", "answer lost");
        return answer;
      };
    const entries = Object.entries(port).map(([name, method]: [string, Method]) => [
      name,
      wrap(method),
    ]);
    return Object.fromEntries(entries) as T;
  }

  /** Runs all consumers to their ends. */
  async run(consumers: readonly (() => Promise<void>)[]): Promise<void> {
    this.#running = consumers.length;
    const ends = consumers.map(async (consumer) => {
      await consumer();
      this.#stop();
    });
    while (this.#running > 0) {
      await this.#untilAllWait();
      const order = [...this.#waiting.keys()].toSorted((a, b) => a - b);
      const at = (this.#turns[this.#turn % this.#turns.length] ?? 0) % Math.max(1, order.length);
      this.#turn += 1;
      const chosen = order[at];
      const next = chosen === undefined ? undefined : this.#waiting.get(chosen);
      if (chosen === undefined || next === undefined) continue;
      this.#waiting.delete(chosen);
      next.release();
    }
    await Promise.all(ends);
  }

  #stop(): void {
    this.#running -= 1;
    this.#wake();
  }

  async #pause(consumer: number): Promise<void> {
    await new Promise<void>((release) => {
      this.#waiting.set(consumer, { release });
      this.#wake();
    });
  }

  async #untilAllWait(): Promise<void> {
    while (this.#waiting.size < this.#running) {
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
  }
}
