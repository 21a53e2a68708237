/** What happens around a call. A hook that throws makes the call fail: before it, without effect;
 * after it, with its effect, as when an answer is lost or the caller dies. */
export interface Faults {
  readonly before?: (method: string, args: readonly unknown[]) => void | Promise<void>;
  readonly after?: (method: string, args: readonly unknown[]) => void | Promise<void>;
}

type AsyncMethod = (...args: readonly unknown[]) => Promise<unknown>;

/** The same port with faults around every call; works on fakes and on real adapters. */
export function withFaults<T extends object>(port: T, faults: Faults): T {
  const wrapped = Object.entries(port).map(([name, method]: [string, AsyncMethod]) => {
    const call: AsyncMethod = async (...args) => {
      await faults.before?.(name, args);
      const answer = await method(...args);
      await faults.after?.(name, args);
      return answer;
    };
    return [name, call];
  });
  return Object.fromEntries(wrapped) as T;
}
