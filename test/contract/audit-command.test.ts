import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "../../cli/args.ts";
import { runAuditSkew, type AuditArgs } from "../../cli/run-audit-skew.ts";
import { readOnline } from "../../src/features/read-online.ts";
import { consume } from "../../src/ingest/consume.ts";
import { logAnswer } from "../../src/ingest/log-answer.ts";
import { newTenant } from "../support/log-events.ts";
import { applyAll, BASE, drain, NOW, openPorts } from "../support/play.ts";
import { sqlTruths, type SqlTruth } from "../support/stores.ts";
import {
  consumerOf,
  deliver,
  eventsMessage,
  logEventOf,
  registry,
  vault,
  type Reading,
} from "../support/write-path.ts";

const all: readonly Reading[] = Array.from({ length: 60 }, (_, i) => ({
  order: `e${i}`,
  time: BASE - i * 600_000,
  device: `d${i % 3}`,
  source: "readings",
  fields: { price: `${i}.5`, level: i % 7, colour: "red", on: true },
}));

describe.each(sqlTruths())("npm run audit-skew %s", (_name, open) => {
  let truth: SqlTruth;
  let tenant: string;

  beforeAll(async () => {
    truth = await open();
    tenant = newTenant();
    const ports = openPorts(truth, tenant);
    await applyAll(truth, ports, tenant);
    const logged: Promise<void>[] = [];
    const answered: NonNullable<Parameters<typeof readOnline>[0]["answered"]> = (read) => {
      logged.push(
        logAnswer(
          consumerOf(ports, () => NOW),
          read,
        ),
      );
    };
    const online = { registry, vault, online: ports.online, now: () => NOW, answered };
    const entities = ["d0", "d1", "d2"].map((key) => ({ device: key, colour: key }));
    for (let from = 0; from < all.length; from += 20) {
      const events = all.slice(from, from + 20).map((one) => logEventOf(one, tenant));
      await consume(
        consumerOf(ports, () => NOW),
        [deliver(eventsMessage(events), `m${from}`)],
      );
      await readOnline(
        { ...online, whenIncomplete: "unavailable" },
        { tenant, features: ["by_device", "by_colour:ever"], entities },
      );
    }
    await Promise.all(logged);
    await drain(ports, NOW);
  });
  afterAll(() => truth.close());

  async function audit(options: Partial<AuditArgs> = {}) {
    const printed: string[] = [];
    const told: string[] = [];
    const terminal = {
      print: (line: string) => void printed.push(line),
      tell: (line: string) => void told.push(line),
    };
    const code = await runCommand(terminal, "audit-skew --help", () =>
      runAuditSkew({
        terminal,
        screen: { tell: terminal.tell },
        connect: async () => ({
          query: (...args) => truth.query(...args),
          batch: (...args) => truth.batch(...args),
          where: "the test",
          local: true,
        }),
        since: 0,
        limit: Number.POSITIVE_INFINITY,
        tenant,
        shown: 1,
        json: false,
        ...options,
      }),
    );
    return { code, printed: printed.join("\n"), told: told.join("\n") };
  }

  it("says that every answer is as history has it", async () => {
    const { code, printed, told } = await audit();
    expect([code, printed.split("\n")]).toEqual([
      0,
      [
        "18 logged answers in the test, of one view and entity each.",
        "18 replayed, 90 values compared:",
        "  mismatched 0, missing 0, extra 0",
      ],
    ]);
    expect(told).toMatch(/^ {2}18 answers looked at, [\d,]+\/s in \d+ s$/);
    expect((await audit({ limit: 4 })).printed).toMatch(/^4 logged answers/);
    expect((await audit({ since: NOW + 1 })).printed).toMatch(
      /^No answers are logged in the test\./,
    );
    // All tenants, of which there may be others in this database.
    expect(JSON.parse((await audit({ tenant: null, json: true })).printed)).toMatchObject({
      mismatched: 0,
      missing: 0,
      extra: 0,
      differences: [],
    });
  });

  it("refuses a tenant that is not there", async () => {
    const { code, printed, told } = await audit({ tenant: "nobody" });
    expect([code, printed]).toEqual([2, ""]);
    expect(told).toMatch(
      /^There is no tenant "nobody" in the test: there (is|are) .+\.\nSee: audit-skew --help$/,
    );
  });

  it("ends with 1 where an answer or the log was tampered with, and shows where", async () => {
    await truth.query(
      `UPDATE served_answers SET answer = replace(answer::text, '"PRESENT"', '"NULL_VALUE"')::json
        WHERE tenant = $1 AND view = 'by_device' AND entity_key = 'd1'`,
      [tenant],
    );
    const tampered = await audit({ json: true, shown: 100 });
    expect(tampered.code).toBe(1);
    const report = JSON.parse(tampered.printed) as { missing: number; differences: object[] };
    expect(report).toMatchObject({ mismatched: 0, extra: 0, missing: report.differences.length });
    expect(report.differences.length).toBeGreaterThan(20);
    expect(report.differences[0]).toMatchObject({ skew: "missing", view: "by_device", key: "d1" });
    await truth.query("DELETE FROM events WHERE tenant = $1 AND event_id = 'e0'", [tenant]);
    const lost = await audit();
    expect(lost.code).toBe(1);
    expect(lost.printed).toMatch(/\nmismatched by_device:|\nextra by_device:|\nmissing by_device:/);
    expect(lost.printed).toMatch(/\n… and \d+ more\n\nWhere .* `npm run rebuild` mends it/);
  });
});
