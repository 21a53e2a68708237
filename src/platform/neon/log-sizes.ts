import type { LogSizes, Size } from "../../planning/log-sizes.ts";
import type { SqlClient, SqlRow } from "./sql-client.ts";

/** Up to so many rows of each are counted; beyond, the table's own estimate is taken. */
const MOST = 1_000_000;

const rowsOf = (table: string): string =>
  `(SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = '${table}'::regclass)`;

/** The versions of an entity have no gaps: their sum counts the events, without reading the log. */
const ENTITIES = `
SELECT w.name, s.entities AS counted, s.events, ${rowsOf("entity_heads")} AS estimate
  FROM unnest($1::text[]) AS w(name) CROSS JOIN LATERAL (
    SELECT count(*) AS entities, coalesce(sum(version), 0)::bigint AS events
      FROM (SELECT version FROM entity_heads h WHERE h.entity = w.name AND h.version > 0
             LIMIT $2::int) AS seen) AS s`;

const SOURCES = `
SELECT w.name, s.counted, ${rowsOf("events")} AS estimate
  FROM unnest($1::text[]) AS w(name) CROSS JOIN LATERAL (
    SELECT count(*) AS counted FROM (SELECT FROM events e WHERE e.source = w.name
                                      LIMIT $2::int) AS seen) AS s`;

const COLLECTIONS = `
SELECT w.name, s.counted, ${rowsOf("documents")} AS estimate
  FROM unnest($1::text[]) AS w(name) CROSS JOIN LATERAL (
    SELECT count(*) AS counted FROM (SELECT FROM documents d WHERE d.collection = w.name
                                      LIMIT $2::int) AS seen) AS s`;

function sizeOf(row: SqlRow, most: number): Size {
  const counted = Number(row["counted"]);
  if (counted < most) return { count: counted, exact: true };
  return { count: Math.max(counted, Number(row["estimate"])), exact: false };
}

/** How much there is, in Postgres; `most` is how many rows of each are counted at most. */
export function createLogSizes(client: SqlClient, most = MOST): LogSizes {
  const sizes = (rows: readonly SqlRow[] = []): ReadonlyMap<string, Size> =>
    new Map(rows.map((row) => [String(row["name"]), sizeOf(row, most)]));

  return {
    async measure({ entities, sources, collections }) {
      const [heads = [], events, documents] = await client.batch([
        { text: ENTITIES, params: [entities, most] },
        { text: SOURCES, params: [sources, most] },
        { text: COLLECTIONS, params: [collections, most] },
      ]);
      return {
        entities: new Map(
          heads.map((row) => {
            const { count, exact } = sizeOf(row, most);
            const mean = Number(row["events"]) / Math.max(1, Number(row["counted"]));
            const size = { entities: count, events: Math.round(count * mean), exact };
            return [String(row["name"]), size] as const;
          }),
        ),
        sources: sizes(events),
        collections: sizes(documents),
      };
    },
  };
}
