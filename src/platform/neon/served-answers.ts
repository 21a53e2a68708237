import type { ServedAnswer, ServedAnswers } from "../../features/served-answers.ts";
import type { SqlClient, SqlRow } from "./sql-client.ts";

const ADD = `
INSERT INTO served_answers (tenant, id, service, view, entity, entity_key, version, as_of, served_at,
                            answer)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                     $7::text[], $8::bigint[], $9::bigint[], $10::json[])
ON CONFLICT (tenant, id) DO NOTHING`;

const LIST = `
SELECT tenant, id, service, view, entity, entity_key, version, as_of, served_at, answer::text AS answer
  FROM served_answers
 WHERE tenant = $1 AND ($2::text IS NULL OR id < $2) AND served_at >= $3::bigint
 ORDER BY id DESC LIMIT $4::int`;

/** Those that another run is at are passed over. */
const REMOVE = `
WITH old AS MATERIALIZED (
  SELECT tenant, id FROM served_answers WHERE served_at < $1::bigint
   ORDER BY served_at LIMIT $2::int FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM served_answers a USING old WHERE a.tenant = old.tenant AND a.id = old.id RETURNING 1
)
SELECT count(*)::int AS removed FROM gone`;

/** What was said of the features, as it is kept. */
type Said = Pick<ServedAnswer, "features" | "values" | "statuses" | "capped">;

/** The sample of online answers in Postgres. */
export function createServedAnswers(client: SqlClient): ServedAnswers {
  return {
    async add(answers) {
      await client.query(ADD, [
        answers.map(({ tenant }) => tenant),
        answers.map(({ id }) => id),
        answers.map(({ service }) => service),
        answers.map(({ view }) => view),
        answers.map(({ entity }) => entity),
        answers.map(({ key }) => key),
        answers.map(({ version }) => version),
        answers.map(({ asOf }) => asOf),
        answers.map(({ servedAt }) => servedAt),
        answers.map(({ features, values, statuses, capped }) =>
          JSON.stringify({ features, values, statuses, capped } satisfies Said),
        ),
      ]);
    },

    async list({ tenant, before, since, limit }) {
      return (await client.query(LIST, [tenant, before, since, limit])).map(answerFrom);
    },

    async removeBefore(time, limit) {
      const [row] = await client.query(REMOVE, [time, limit]);
      return Number(row?.["removed"]);
    },
  };
}

const answerFrom = (row: SqlRow): ServedAnswer => ({
  tenant: String(row["tenant"]),
  id: String(row["id"]),
  service: typeof row["service"] === "string" ? row["service"] : null,
  view: String(row["view"]),
  entity: String(row["entity"]),
  key: String(row["entity_key"]),
  version: String(row["version"]),
  asOf: Number(row["as_of"]),
  servedAt: Number(row["served_at"]),
  ...(JSON.parse(String(row["answer"])) as Said),
});
