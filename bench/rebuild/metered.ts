import type { SqlClient, SqlParam, SqlRow } from "../../src/platform/neon/sql-client.ts";

/** What went through a client so far; bytes are those of texts, without what surrounds them. */
export interface Traffic {
  readonly statements: number;
  readonly sent: number;
  readonly received: number;
}

export interface MeteredSql extends SqlClient {
  traffic(): Traffic;
}

type Value = string | number | boolean | null;

const lengthOf = (value: Value): number =>
  typeof value === "string" ? value.length : String(value).length;

const lengthOfParam = (param: SqlParam): number =>
  typeof param === "object" && param !== null
    ? param.reduce((sum: number, one) => sum + lengthOf(one), 0)
    : lengthOf(param);

const lengthOfRow = (row: SqlRow): number =>
  Object.values(row).reduce((sum: number, value) => sum + lengthOf(value), 0);

/** Counts what a client sends and receives. */
export function meterSql(client: SqlClient): MeteredSql {
  let [statements, sent, received] = [0, 0, 0];
  const count = (params: readonly SqlParam[], rows: readonly SqlRow[]): void => {
    statements += 1;
    for (const param of params) sent += lengthOfParam(param);
    for (const row of rows) received += lengthOfRow(row);
  };
  return {
    traffic: () => ({ statements, sent, received }),
    async query(text, params) {
      const rows = await client.query(text, params);
      count(params, rows);
      return rows;
    },
    async batch(all) {
      const answers = await client.batch(all);
      for (const [i, { params }] of all.entries()) count(params, answers[i] ?? []);
      return answers;
    },
  };
}

/** Pure. What went through between two looks. */
export const trafficBetween = (before: Traffic, after: Traffic): Traffic => ({
  statements: after.statements - before.statements,
  sent: after.sent - before.sent,
  received: after.received - before.received,
});
