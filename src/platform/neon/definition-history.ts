import { specificationHash } from "../../features/specification-hash.ts";
import type { DefinitionHistory, RegisteredDefinition } from "../../planning/definition-history.ts";
import type { DefinitionKind } from "../../planning/definition-record.ts";
import type { SqlClient, SqlRow } from "./sql-client.ts";

const LIST = `
SELECT kind, name, version, spec::text AS spec, retired_at IS NOT NULL AS retired
  FROM definitions ORDER BY kind, name, version`;

const WANTED = `unnest($1::text[], $2::text[], $3::text[]) AS w(kind, name, spec_hash)`;

const isWanted = (alias: string): string =>
  `EXISTS (SELECT FROM ${WANTED} WHERE w.kind = ${alias}.kind AND w.name = ${alias}.name
              AND w.spec_hash = ${alias}.spec_hash)`;

const RETIRE = `
UPDATE definitions d SET retired_at = $4::bigint WHERE d.retired_at IS NULL AND NOT ${isWanted("d")}`;

const RETURN = `
UPDATE definitions d SET retired_at = NULL WHERE d.retired_at IS NOT NULL AND ${isWanted("d")}`;

const REGISTER = `
INSERT INTO definitions (kind, name, version, spec_hash, spec, registered_at)
SELECT w.kind, w.name,
       1 + coalesce((SELECT max(d.version) FROM definitions d
                      WHERE d.kind = w.kind AND d.name = w.name), 0),
       w.spec_hash, w.spec::json, $5::bigint
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS w(kind, name, spec_hash, spec)
 ORDER BY w.kind COLLATE "C", w.name COLLATE "C"
ON CONFLICT (kind, name, spec_hash) DO NOTHING`;

/** Applied definitions in Postgres. */
export function createDefinitionHistory(client: SqlClient): DefinitionHistory {
  return {
    list: async () => (await client.query(LIST, [])).map(registeredDefinition),

    async register(definitions, now) {
      const others = definitions.filter(({ kind }) => kind !== "view");
      const wanted = [
        others.map(({ kind }) => kind),
        others.map(({ name }) => name),
        others.map(({ spec }) => specificationHash(spec)),
      ];
      await client.batch([
        { text: RETIRE, params: [...wanted, now] },
        { text: RETURN, params: wanted },
        { text: REGISTER, params: [...wanted, others.map(({ spec }) => spec), now] },
      ]);
    },
  };
}

const registeredDefinition = (row: SqlRow): RegisteredDefinition => ({
  kind: String(row["kind"]) as DefinitionKind,
  name: String(row["name"]),
  version: Number(row["version"]),
  spec: String(row["spec"]),
  retired: row["retired"] === true,
});
