import type { NotReplayed, SkewDifference, SkewReport } from "../src/features/audit-answers.ts";
import type { Said } from "../src/features/compare-answer.ts";
import { counted, numberText } from "./support/number-text.ts";

const REASONS: Readonly<Record<NotReplayed, string>> = {
  unknown_view: "of a version of a view that was never registered here",
  not_understood: "of a view that this version of Freshet does not understand",
  erased: "of an entity that was erased since",
};

const notReplayed = (report: SkewReport) =>
  (Object.entries(report.notReplayed) as [NotReplayed, number][]).filter(([, count]) => count > 0);

const MENDS =
  "Where what is in Redis is not what Postgres has, `npm run rebuild` mends it: run it, and see " +
  "whether answers from then on (--since) agree.";

/** Pure. The report for people, line by line. */
export function skewText(report: SkewReport, where: string): readonly string[] {
  const { answers, values, mismatched, missing, extra, differences } = report;
  if (answers === 0) {
    return [
      `No answers are logged in ${where}. SKEW_SAMPLE in wrangler.toml is the share that is.`,
    ];
  }
  const left = notReplayed(report);
  const replayed = answers - left.reduce((sum, [, count]) => sum + count, 0);
  const total = mismatched + missing + extra;
  const hidden = total - differences.length;
  return [
    `${counted(answers, "logged answer", "logged answers")} in ${where}, of one view and entity each.`,
    ...left.map(([reason, count]) => `  ${numberText(count)} not replayed: ${REASONS[reason]}`),
    `${numberText(replayed)} replayed, ${counted(values, "value", "values")} compared:`,
    `  mismatched ${numberText(mismatched)}, missing ${numberText(missing)}, extra ${numberText(extra)}`,
    ...differences.flatMap(differenceText),
    ...(hidden > 0 ? ["", `… and ${numberText(hidden)} more`] : []),
    ...(total > 0 ? ["", MENDS] : []),
  ];
}

const differenceText = ({ skew, feature, answer, online, history }: SkewDifference) => [
  "",
  `${skew} ${answer.view}:${feature} of ${answer.key} (tenant ${answer.tenant}, ${answer.id})`,
  `  as of ${answer.asOf}, version ${answer.version}`,
  `  online  ${saidText(online)}`,
  `  history ${history === null ? "has no such feature or version" : saidText(history)}`,
];

const saidText = ({ value, status, capped }: Said): string =>
  `${JSON.stringify(value)} ${status}${capped ? ", capped" : ""}`;

/** Pure. The report for machines. */
export const skewJson = (report: SkewReport) => ({
  answers: report.answers,
  not_replayed: report.notReplayed,
  values: report.values,
  mismatched: report.mismatched,
  missing: report.missing,
  extra: report.extra,
  differences: report.differences.map(({ answer, feature, skew, online, history }) => ({
    skew,
    tenant: answer.tenant,
    id: answer.id,
    service: answer.service,
    view: answer.view,
    feature,
    key: answer.key,
    as_of: answer.asOf,
    version: answer.version,
    served_at: answer.servedAt,
    online,
    history,
  })),
});
