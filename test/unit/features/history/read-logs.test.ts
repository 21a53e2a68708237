import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FoldedEvent, LogSlice } from "../../../../src/features/history/history-log.ts";
import { readLogs } from "../../../../src/features/history/read-logs.ts";
import { logPage } from "../../../support/fakes/memory-history-log.ts";

/** Of each entity, how long its events' records are; null where one is of another source. */
type Logs = readonly (readonly (number | null)[])[];

const foldedEvent = (slice: number, version: number, length: number): FoldedEvent => ({
  slice,
  version,
  knownAt: 1,
  source: "readings",
  eventTime: 1,
  orderKey: "",
  sign: 1,
  body: "x".repeat(length),
});

/** A store of logs that remembers what it was asked and what it answered. */
function storeOf(logs: Logs, bytes: number) {
  const asked: number[] = [];
  const answered: number[] = [];
  return {
    asked,
    answered,
    read: async (slices: readonly LogSlice[]) => {
      asked.push(slices.reduce((sum, { after, upTo }) => sum + upTo - after, 0));
      const all = slices.flatMap(({ key, after, upTo }, slice) =>
        (logs[Number(key)] ?? [])
          .flatMap((length, i) => (length === null ? [] : [{ version: i + 1, length }]))
          .filter(({ version }) => version > after && version <= upTo)
          .map(({ version, length }) => foldedEvent(slice, version, length))
          .toReversed(),
      );
      const page = logPage(slices, all, bytes);
      answered.push(page.events.reduce((sum, { body }) => sum + body.length, 0));
      return page;
    },
  };
}

const logsOf = (logs: Logs) => logs.map(({ length }, i) => ({ key: `${i}`, version: length }));

describe("reading logs", () => {
  it("reads every event once, entity by entity and the newest first, however little fits", async () => {
    const anyLength = fc.option(fc.integer({ min: 2, max: 40 }), { freq: 4 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(anyLength, { maxLength: 30 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 40 }),
        async (logs, bytes, size) => {
          const store = storeOf(logs, bytes);
          const read: string[] = [];
          const ended: string[] = [];
          for await (const part of readLogs(store.read, logsOf(logs), size)) {
            expect(ended).not.toContain(part.key);
            read.push(...part.events.map(({ version }) => `${part.key}:${version}`));
            if (part.isLast) ended.push(part.key);
          }
          const all = logs.flatMap((log, i) =>
            log.flatMap((length, n) => (length === null ? [] : [`${i}:${n + 1}`])).toReversed(),
          );
          expect(read).toEqual(all);
          expect(ended).toEqual(logs.flatMap(({ length }, i) => (length > 0 ? [`${i}`] : [])));
          expect(Math.max(0, ...store.asked)).toBeLessThanOrEqual(size);
          expect(Math.max(0, ...store.answered)).toBeLessThan(bytes + 40);
        },
      ),
    );
  });

  it("looks up no more than it did before where all fits, and little where little does", async () => {
    const small = storeOf([Array.from({ length: 10_000 }, () => 200)], 4 * 2 ** 20);
    for await (const part of readLogs(small.read, [{ key: "0", version: 10_000 }])) void part;
    expect(small.asked).toEqual([4_000, 4_000, 2_000]);
    const large = storeOf([Array.from({ length: 4_000 }, () => 60_000)], 4 * 2 ** 20);
    for await (const part of readLogs(large.read, [{ key: "0", version: 4_000 }])) void part;
    expect(large.asked.length).toBeLessThan(60);
    expect(large.asked.reduce((a, b) => a + b)).toBeLessThan(3 * 4_000 + 4_000);
  });

  it("leaves no refusal that nobody hears", async () => {
    let reads = 0;
    const read = async (slices: readonly LogSlice[]) => {
      reads += 1;
      if (reads > 1) throw new Error("down");
      return logPage(slices, [], 1);
    };
    for await (const part of readLogs(read, [{ key: "0", version: 9 }], 4)) {
      expect(part.isLast).toBe(false);
      break;
    }
    expect(reads).toBe(2);
    const parts = readLogs(read, [{ key: "0", version: 9 }], 4);
    await expect(parts.next()).rejects.toThrow("down");
  });
});
