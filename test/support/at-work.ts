type Method = (...args: readonly unknown[]) => Promise<unknown>;

/**
 * Somebody at work, a call of a port at a time: it goes as far as it is let, and then stands still;
 * for ever, where it is dead. Its work may throw only where a test means it to.
 */
export class AtWork {
  #permits = 0;
  #underWay = 0;
  #isOver = false;
  #work: Promise<unknown> | null = null;
  readonly #waiting: (() => void)[] = [];
  #notice: () => void = () => undefined;
  readonly #begin: () => Promise<unknown>;

  constructor(work: (at: AtWork) => Promise<unknown>) {
    this.#begin = () => work(this);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The port, each call of which needs leave. */
  port<T extends object>(port: T): T {
    const entries = Object.entries(port).map(([name, method]: [string, Method]) => {
      const call: Method = async (...args) => {
        await this.#leave();
        this.#underWay += 1;
        try {
          return await method(...args);
        } finally {
          this.#underWay -= 1;
          this.#notice();
        }
      };
      return [name, call];
    });
    return Object.fromEntries(entries) as T;
  }

  /** Goes on for so many calls; ends where it stands still, or is over. Throws what its work throws. */
  async go(calls: number): Promise<void> {
    this.#permits = calls;
    this.#work ??= this.#begin().finally(() => {
      this.#isOver = true;
      this.#notice();
    });
    // What it throws is for whoever lets it go on to the end.
    this.#work.catch(() => undefined);
    while (this.#permits > 0 && this.#waiting.length > 0) {
      this.#permits -= 1;
      this.#waiting.shift()?.();
    }
    while (!this.#isOver && !(this.#waiting.length > 0 && this.#underWay === 0)) {
      await new Promise<void>((notice) => void (this.#notice = notice));
    }
    if (this.#isOver) await this.#work;
  }

  async #leave(): Promise<void> {
    if (this.#permits > 0) {
      this.#permits -= 1;
      return;
    }
    await new Promise<void>((go) => {
      this.#waiting.push(go);
      this.#notice();
    });
  }
}
