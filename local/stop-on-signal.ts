/** npm passes a Ctrl-C on to a process that the terminal has told already. */
const SAME_KEYSTROKE_MS = 500;

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Calls `stop` at the first signal to end, and ends the process when it is done; a second signal
 * ends the process at once. Answers whether a signal has come.
 */
export function stopOnSignal(stop: () => Promise<void>): { readonly stopping: () => boolean } {
  let since: number | undefined;

  async function end(): Promise<void> {
    try {
      await stop();
      process.exit(0);
    } catch (error) {
      console.error(error);
      process.exit(1);
    }
  }

  for (const signal of SIGNALS) {
    process.on(signal, () => {
      const now = performance.now();
      if (since === undefined) {
        since = now;
        void end();
      } else if (now - since > SAME_KEYSTROKE_MS) process.exit(130);
    });
  }
  return { stopping: () => since !== undefined };
}
