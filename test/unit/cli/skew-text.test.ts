import { describe, expect, it } from "vitest";
import { UsageError } from "../../../cli/args.ts";
import { readAuditArgs } from "../../../cli/run-audit-skew.ts";
import { skewJson, skewText } from "../../../cli/skew-text.ts";
import type { SkewReport } from "../../../src/features/audit-answers.ts";
import { loggedAnswer } from "../../support/skew.ts";

const NOW = Date.UTC(2026, 10, 22, 12);

describe("the command line of the audit", () => {
  it("takes everything that is kept, unless it is told otherwise", () => {
    expect(readAuditArgs([], NOW)).toEqual({
      since: 0,
      limit: Number.POSITIVE_INFINITY,
      tenant: null,
      shown: 20,
      json: false,
    });
    const args = ["--limit", "50", "--tenant", "acme", "--show=0", "--json", "--since"];
    const read = { limit: 50, tenant: "acme", shown: 0, json: true };
    for (const [since, at] of [
      ["6h", NOW - 6 * 3_600_000],
      [String(NOW - 5), NOW - 5],
      ["2026-11-22T13:00:00+02:00", NOW - 3_600_000],
    ] as const) {
      expect(readAuditArgs([...args, since], NOW)).toEqual({ ...read, since: at });
    }
    expect(readAuditArgs(["--json", "-h"], NOW)).toBeNull();
  });

  it.each([
    [["--since", "yesterday"], /--since "yesterday": .*or 6h, 7d/],
    [["--since", "2026-11-22T13:00:00"], /with offset/],
    [["--limit", "-1"], /--limit/],
    [["--limit", "many"], /--limit takes a whole number from 1, not "many"/],
    [["--limit", "0"], /--limit takes a whole number from 1, not "0"/],
    [["--show", "few"], /--show takes a whole number, not "few"/],
    [["now"], /takes no "now"/],
    [["--all"], /--all/],
  ])("refuses %j and says why", (args, message) => {
    expect(() => readAuditArgs(args, NOW)).toThrow(UsageError);
    expect(() => readAuditArgs(args, NOW)).toThrow(message);
  });
});

const {
  features: _f,
  values: _v,
  statuses: _s,
  capped: _c,
  ...answer
} = loggedAnswer({
  key: "t1_abc",
  version: "2.17",
  service: "all",
});

const report: SkewReport = {
  answers: 1_204,
  notReplayed: { unknown_view: 0, not_understood: 3, erased: 1 },
  values: 2_400,
  mismatched: 1,
  missing: 0,
  extra: 2,
  differences: [
    {
      skew: "extra",
      feature: "n",
      answer,
      online: { value: 3, status: "PRESENT", capped: true },
      history: null,
    },
    {
      skew: "mismatched",
      feature: "total",
      answer,
      online: { value: "4.5", status: "PRESENT", capped: false },
      history: { value: "4.50", status: "PRESENT", capped: false },
    },
  ],
};

describe("the report of the audit", () => {
  it("says in words what was compared, what not and why, and what differs", () => {
    expect(skewText(report, "the local database")).toEqual([
      "1,204 logged answers in the local database, of one view and entity each.",
      "  3 not replayed: of a view that this version of Freshet does not understand",
      "  1 not replayed: of an entity that was erased since",
      "1,200 replayed, 2,400 values compared:",
      "  mismatched 1, missing 0, extra 2",
      "",
      "extra by_device:n of t1_abc (tenant t, ans_0)",
      `  as of ${answer.asOf}, version 2.17`,
      "  online  3 PRESENT, capped",
      "  history has no such feature or version",
      "",
      "mismatched by_device:total of t1_abc (tenant t, ans_0)",
      `  as of ${answer.asOf}, version 2.17`,
      '  online  "4.5" PRESENT',
      '  history "4.50" PRESENT',
      "",
      "… and 1 more",
      "",
      "Where what is in Redis is not what Postgres has, `npm run rebuild` mends it: run it, and see whether answers from then on (--since) agree.",
    ]);
  });

  it("says where it found nothing to compare", () => {
    expect(skewText({ ...report, answers: 0 }, "the local database")).toEqual([
      "No answers are logged in the local database. SKEW_SAMPLE in wrangler.toml is the share that is.",
    ]);
  });

  it("says the same to machines", () => {
    const { differences, not_replayed, ...counts } = skewJson(report);
    expect(counts).toEqual({ answers: 1_204, values: 2_400, mismatched: 1, missing: 0, extra: 2 });
    expect(not_replayed).toEqual(report.notReplayed);
    expect(differences[0]).toEqual({
      skew: "extra",
      tenant: "t",
      id: "ans_0",
      service: "all",
      view: "by_device",
      feature: "n",
      key: "t1_abc",
      as_of: answer.asOf,
      version: "2.17",
      served_at: answer.servedAt,
      online: { value: 3, status: "PRESENT", capped: true },
      history: null,
    });
  });
});
