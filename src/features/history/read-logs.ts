import type { FoldedEvent, LogPage, LogSlice } from "./history-log.ts";

/** Versions that are looked up in one statement. */
const PAGE_EVENTS = 4_000;

/** Some events of one entity, newer than those that are still to come. */
export interface LogPart {
  readonly key: string;
  readonly events: readonly FoldedEvent[];
  /** Whether nothing of the entity is still to come. */
  readonly isLast: boolean;
}

const countOf = (slices: readonly LogSlice[]): number =>
  slices.reduce((sum, { after, upTo }) => sum + upTo - after, 0);

/** Pure. The newest versions of the first slices, as many as there is room for; and what is left. */
function cut(
  slices: readonly LogSlice[],
  most: number,
): { readonly page: readonly LogSlice[]; readonly left: readonly LogSlice[] } {
  const page: LogSlice[] = [];
  let room = most;
  for (const [i, slice] of slices.entries()) {
    const from = Math.max(slice.after, slice.upTo - room);
    page.push({ ...slice, after: from });
    room -= slice.upTo - from;
    if (from > slice.after) {
      return { page, left: [{ ...slice, upTo: from }, ...slices.slice(i + 1)] };
    }
    if (room === 0) return { page, left: slices.slice(i + 1) };
  }
  return { page, left: [] };
}

/**
 * Reads entities' logs up to their heads, page by page and one page ahead of whoever works on them:
 * entity by entity, the newest events first. Of one that was never folded there is nothing. Throws
 * what `read` throws.
 */
export async function* readLogs(
  read: (slices: readonly LogSlice[]) => Promise<LogPage>,
  logs: readonly { readonly key: string; readonly version: number }[],
  size = PAGE_EVENTS,
): AsyncGenerator<LogPart> {
  const ask = (slices: readonly LogSlice[], most: number) => {
    if (slices.length === 0) return null;
    const { page, left } = cut(slices, most);
    const answer = read(page);
    // Whoever stops in between must not leave a refusal that nobody hears.
    answer.catch(() => undefined);
    return { page, left, answer };
  };
  const all = logs.filter(({ version }) => version > 0);
  let asked = ask(
    all.map(({ key, version }) => ({ key, after: 0, upTo: version })),
    size,
  );
  while (asked !== null) {
    const { page, left } = asked;
    const { events, rest } = await asked.answer;
    // Where few fit, to look up many more each time would be in vain.
    const most = Math.min(size, 2 * (countOf(page) - countOf(rest)));
    asked = ask([...rest, ...left], most);
    yield* partsOf(page, events, rest.length);
  }
}

/** Up to the first slice that was not read whole. */
function* partsOf(
  page: readonly LogSlice[],
  events: readonly FoldedEvent[],
  unread: number,
): Generator<LogPart> {
  const bySlice = page.map((): FoldedEvent[] => []);
  for (const event of events) bySlice[event.slice]?.push(event);
  const whole = page.length - unread;
  for (const [i, { key, after }] of page.slice(0, whole + 1).entries()) {
    yield { key, events: bySlice[i] ?? [], isLast: after === 0 && i < whole };
  }
}
