type MaybePromise = void | Promise<void>;

export interface Closable {
  close(): MaybePromise;
}

/** What is to be closed, in the order in which it was opened. */
export interface Closers {
  /** Closes what `opening` gives, also when nobody has come to wait for it. */
  open<T extends Closable>(opening: Promise<T>): Promise<T>;
  defer(close: () => MaybePromise): void;
  /**
   * Waits for what is being opened, then closes the last first, and all even if one fails; throws
   * the first failure. Closing twice is closing once.
   */
  close(): Promise<void>;
}

/** An empty list of things to close. */
export function createClosers(): Closers {
  const list: (() => MaybePromise)[] = [];
  const opening: Promise<unknown>[] = [];
  let closing: Promise<void> | undefined;

  async function closeAll(): Promise<void> {
    await Promise.allSettled(opening);
    let failure: unknown;
    for (let close = list.pop(); close !== undefined; close = list.pop()) {
      try {
        await close();
      } catch (error) {
        failure ??= error;
      }
    }
    if (failure !== undefined) throw new Error("Not everything closed.", { cause: failure });
  }

  return {
    async open(promise) {
      opening.push(promise);
      const opened = await promise;
      list.push(() => opened.close());
      return opened;
    },
    defer: (close) => void list.push(close),
    close: () => (closing ??= closeAll()),
  };
}
