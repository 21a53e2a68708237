import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LogEvent } from "../../../src/features/event-log.ts";
import { createVault } from "../../../src/governance/vault.ts";
import { eventToKeep, readKept, recordToKeep } from "../../../src/ingest/kept.ts";

const event: LogEvent = {
  tenant: "acme",
  source: "payments",
  eventId: "p1",
  eventTime: 1,
  originalEventTime: null,
  ingestTime: 2,
  orderKey: "p1",
  sign: 1,
  body: '{"amount":"12.5","note":"two\\nlines"}',
  bodyHash: "0".repeat(32),
  knownAt: null,
};

describe("what quarantine keeps", () => {
  it("is the record as it was sent, and when it was known", () => {
    fc.assert(
      fc.property(fc.string(), fc.option(fc.integer()), (text, knownAt) => {
        const kept = readKept(recordToKeep(text, knownAt));
        expect(kept).toEqual({ ok: true, value: { kind: "record", text, knownAt, cut: false } });
      }),
    );
  });

  it("is the accepted event, whole", () => {
    expect(readKept(eventToKeep(event))).toEqual({ ok: true, value: { kind: "event", event } });
  });

  it.each(["a", "\n", '"', "東", "😀"])(
    "fits in a queue message when it is sealed, full of %j as it may be",
    async (character) => {
      const text = character.repeat(200_000);
      const vault = createVault("an-encryption-secret-of-32-bytes!");
      const sealed = await vault.seal("acme", "qrt_1", recordToKeep(text, 1));
      expect(sealed.length).toBeLessThan(100_000);
      const opened = await vault.open("acme", "qrt_1", sealed);
      expect(opened.ok && readKept(opened.value)).toMatchObject({ value: { cut: true } });
    },
  );

  it.each(["", "nonsense", "{}", '{"kind":"event"}\n{}', '{"kind":"event"}\n', '{"kind":"x"}\n'])(
    "is not %j",
    (text) => {
      expect(readKept(text).ok).toBe(false);
    },
  );
});
