import type { MetAnswer, MetEvent, MetQuery } from "../../features/met-events.ts";
import { logEventFrom, LOG_EVENT_COLUMNS, NO_EVENT_COLUMNS } from "./log-event.ts";
import type { SqlParam, SqlRow } from "./sql-client.ts";

/**
 * The log of a query's entity, by the index of what met: `l` entity_log, `q` asked. As a condition of
 * the index, the version would make the planner expect many searches, and prefer to walk all versions.
 */
const OF_ENTITY = `l.tenant = q.tenant AND l.entity = q.entity AND l.entity_key = q.entity_key
           AND l.version + 0 <= q.up_to`;

/** Those of a span `s` that what is counted does not leave out. */
const RIGHT_EVENTS = `l.event_time, l.version, l.known_at, l.source, l.event_id FROM entity_log l
           WHERE ${OF_ENTITY} AND l.source = q.right_source
             AND l.event_time >= s.from_time
             AND (l.event_time, l.version) > (s.from_time, s.from_version)
             AND l.known_at < s.known_before
             AND (s.known IS NULL OR l.event_time <= s.reach OR l.known_at < s.known)
             AND (SELECT count(*) FROM unnest(s.times, s.knowns) AS a(event_time, known_at)
                   WHERE a.event_time <= l.event_time
                     AND a.known_at <= greatest(l.known_at, s.changed_from)) < q.fan_out`;

const ORDER_KEY = `(SELECT e.order_key FROM events e
                 WHERE e.tenant = q.tenant AND e.source = l.source AND e.event_id = l.event_id)`;

/** The event of a row of the log. */
const EVENT_OF = (row: string): string => `(
          SELECT ${LOG_EVENT_COLUMNS} FROM events e
           WHERE e.tenant = q.tenant AND e.source = ${row}.source AND e.event_id = ${row}.event_id
          OFFSET 0)`;

/** Its columns. */
const LOGGED_EVENT = `tenant, source, event_id, event_time, original_event_time, ingest_time,
         known_at, sign, order_key, body_hash, body`;

/** A row of the log and its event. */
const FOUND = `entity, entity_key, version, logged_at, ${LOGGED_EVENT}`;

/** Whether neither an import nor who gave a past event said since when this row `s` is known. */
const IS_LIVE = `known_at IS NULL AND (
         SELECT true FROM entity_log_past p
          WHERE p.tenant = s.tenant AND p.entity = s.entity AND p.entity_key = s.entity_key
            AND p.version = s.version) IS NULL`;

/**
 * Before READ_MET in the same transaction. By the averages of all entities, the planner takes a part of
 * a log for a few rows, and would read all of them to sort them: of one with a million, for the last.
 */
export const WALK_INDEXES = `
SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true),
       set_config('enable_sort', 'off', true), set_config('jit', 'off', true)`;

/**
 * What met in joins: $1–$13 queries (tenant, entity, key, version up to which, left and right source,
 * reach, cap, known before, most rights, lefts from each start, lefts, bytes), $14–$22 spans (query,
 * after, its key, from, its version, before, changed from, known before, most counted), $23–$26 starts
 * (query, time, order key, low).
 *
 * Each look-up is a LATERAL with a limit of its own, so that it walks a part of the index. Left events
 * of one time come whole before they are put in the order of their keys, which only the events know.
 * Beyond the time when enough left events are known that count, only right events that were known
 * before they happened matter, of which there is an index: imports may have some.
 */
export const READ_MET = `
WITH asked AS MATERIALIZED (
  SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[],
                       $7::bigint[], $8::int[], $9::bigint[], $10::bigint[], $11::bigint[],
                       $12::bigint[], $13::bigint[])
    WITH ORDINALITY AS q(tenant, entity, entity_key, up_to, left_source, right_source, within,
                         fan_out, known_before, rights, per_start, lefts, bytes, query)
), span AS MATERIALIZED (
  SELECT s.*, c.*,
         CASE WHEN c.known IS NULL THEN s.before - 1
              WHEN c.known <= s.changed_from THEN c.reach - 1
              ELSE least(s.before - 1, greatest(c.reach, c.known)) END AS upto
    FROM unnest($14::int[], $15::bigint[], $16::text[], $17::bigint[], $18::bigint[], $19::bigint[],
                $20::bigint[], $21::bigint[], $22::bigint[])
           WITH ORDINALITY AS s(query, after, after_key, from_time, from_version, before, changed_from,
                                known_before, counted, span)
    JOIN asked q USING (query)
   CROSS JOIN LATERAL (
      SELECT array_agg(a.event_time) AS times, array_agg(a.known_at) AS knowns,
             max(a.event_time) AS reach,
             (array_agg(a.known_at ORDER BY a.known_at))[q.fan_out] AS known
        FROM (SELECT l.event_time, l.known_at FROM entity_log l
               WHERE ${OF_ENTITY} AND l.source = q.left_source
                 AND l.event_time >= s.after AND l.event_time < least(s.before, s.known_before)
                 AND (l.event_time > s.after OR ${ORDER_KEY} > s.after_key)
                 AND l.known_at < s.known_before
               ORDER BY l.event_time, l.version LIMIT s.counted) AS a
    ) AS c
), met AS MATERIALIZED (
  SELECT q.query, q.bytes, q.within, q.entity, q.entity_key, r.*
    FROM asked q CROSS JOIN LATERAL (
      SELECT r.version, r.known_at AS logged_at, e.* FROM (
        SELECT r.* FROM span s CROSS JOIN LATERAL (
          SELECT s.span, l.* FROM (
            (SELECT ${RIGHT_EVENTS} AND l.event_time <= s.upto
              ORDER BY l.event_time, l.version LIMIT q.rights)
             UNION ALL
            (SELECT ${RIGHT_EVENTS} AND l.event_time > s.upto AND l.event_time < s.before
               AND l.event_time > l.known_at AND s.known > s.changed_from
              ORDER BY l.event_time, l.version LIMIT q.rights)
          ) AS l
           ORDER BY l.event_time, l.version LIMIT q.rights
        ) AS r
         WHERE s.query = q.query ORDER BY r.span, r.event_time, r.version LIMIT q.rights
      ) AS r CROSS JOIN LATERAL ${EVENT_OF("r")} AS e
    ) AS r
), start AS MATERIALIZED (
  SELECT b.query, b.time, b.order_key, min(b.low) AS low,
         lag(b.time) OVER places AS last_time, lag(b.order_key) OVER places AS last_key
    FROM (SELECT * FROM unnest($23::int[], $24::bigint[], $25::text[], $26::bigint[])
            AS b(query, time, order_key, low)
           UNION ALL
          SELECT m.query, m.event_time, NULL, m.event_time - m.within FROM met m) AS b
   GROUP BY b.query, b.time, b.order_key
  WINDOW places AS (PARTITION BY b.query ORDER BY b.time, b.order_key COLLATE "C" NULLS LAST)
), below AS MATERIALIZED (
  SELECT q.query, q.bytes, q.entity, q.entity_key, b.*
    FROM asked q CROSS JOIN LATERAL (
      SELECT s.time, s.order_key AS start_key, t.* FROM start s CROSS JOIN LATERAL (
        SELECT l.version, l.known_at AS logged_at, e.*
          FROM (SELECT l.event_time, l.version, l.known_at, l.source, l.event_id FROM entity_log l
                 WHERE ${OF_ENTITY} AND l.source = q.left_source
                   AND l.event_time <= s.time
                   AND l.event_time >= greatest(s.low, s.last_time + (s.last_key IS NULL)::int)
                   AND l.known_at < q.known_before
                   AND (s.order_key IS NULL OR l.event_time < s.time
                        OR ${ORDER_KEY} < s.order_key)
                   AND (s.last_key IS NULL OR l.event_time > s.last_time
                        OR ${ORDER_KEY} >= s.last_key)
                 ORDER BY l.event_time DESC FETCH FIRST (q.per_start) ROWS WITH TIES) AS l
         CROSS JOIN LATERAL ${EVENT_OF("l")} AS e
         ORDER BY e.event_time DESC, e.order_key DESC LIMIT q.per_start
      ) AS t
       WHERE s.query = q.query
       ORDER BY s.time, s.order_key COLLATE "C" NULLS LAST, t.event_time DESC, t.order_key DESC
       LIMIT q.lefts
    ) AS b
), found AS MATERIALIZED (
  SELECT query, bytes, 'right' AS kind,
         row_number() OVER (PARTITION BY query ORDER BY event_time, version) AS nth, ${FOUND}
    FROM met
   UNION ALL
  SELECT query, bytes, 'left',
         row_number() OVER (PARTITION BY query ORDER BY time, start_key COLLATE "C" NULLS LAST,
                                                        event_time DESC, order_key DESC), ${FOUND}
    FROM below
), sized AS (
  SELECT f.*, sum(octet_length(f.body)) OVER (PARTITION BY f.query ORDER BY f.kind DESC, f.nth)
              - octet_length(f.body) AS preceding
    FROM found f
)
SELECT query::int, kind, nth::int, version, logged_at, ${IS_LIVE} AS is_live, ${LOGGED_EVENT}
  FROM sized s WHERE preceding < bytes
UNION ALL
SELECT f.query::int, f.kind || 's', count(*)::int, NULL, NULL, NULL, ${NO_EVENT_COLUMNS}
  FROM found f GROUP BY f.query, f.kind
UNION ALL
SELECT s.query::int, 'span', row_number() OVER (PARTITION BY s.query ORDER BY s.span)::int,
       s.reach, s.known, NULL, ${NO_EVENT_COLUMNS}
  FROM span s`;

export function metParams(queries: readonly MetQuery[]): readonly SqlParam[] {
  const spans = queries.flatMap((query, i) => query.spans.map((one) => ({ ...one, query: i + 1 })));
  const starts = queries.flatMap((query, i) =>
    query.starts.map((one) => ({ ...one, query: i + 1 })),
  );
  return [
    queries.map(({ tenant }) => tenant),
    queries.map(({ entity }) => entity),
    queries.map(({ key }) => key),
    queries.map(({ upTo }) => upTo),
    queries.map(({ left }) => left),
    queries.map(({ right }) => right),
    queries.map(({ withinMs }) => withinMs),
    queries.map(({ fanOut }) => fanOut),
    queries.map(({ knownBefore }) => knownBefore),
    queries.map(({ most }) => most.rights),
    queries.map(({ most }) => most.perStart),
    queries.map(({ most }) => most.lefts),
    queries.map(({ most }) => most.bytes),
    spans.map(({ query }) => query),
    spans.map(({ after }) => after),
    spans.map(({ afterKey }) => afterKey),
    spans.map(({ from }) => from),
    spans.map(({ fromVersion }) => fromVersion),
    spans.map(({ before }) => before),
    spans.map(({ changedFrom }) => changedFrom),
    spans.map(({ knownBefore }) => knownBefore),
    spans.map(({ counted }) => counted),
    starts.map(({ query }) => query),
    starts.map(({ time }) => time),
    starts.map(({ orderKey }) => orderKey),
    starts.map(({ low }) => low),
  ];
}

/** Pure. What the rows of READ_MET say, in the order of the queries. */
export function readMetAnswers(
  queries: readonly MetQuery[],
  rows: readonly SqlRow[],
): readonly MetAnswer[] {
  const groups = new Map<string, SqlRow[]>();
  for (const row of rows) {
    const name = `${row["query"]} ${row["kind"]}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [row]);
    else group.push(row);
  }
  return queries.map(({ most }, i) => {
    const ofKind = (kind: string): readonly SqlRow[] =>
      (groups.get(`${i + 1} ${kind}`) ?? []).toSorted(
        (a, b) => Number(a["nth"]) - Number(b["nth"]),
      );
    const eventsOf = (kind: string): readonly MetEvent[] =>
      ofKind(kind).map((row) => ({
        event: logEventFrom(row),
        version: Number(row["version"]),
        loggedAt: Number(row["logged_at"]),
        isLive: row["is_live"] === true,
      }));
    const isCut = (kind: "rights" | "lefts", given: readonly MetEvent[]): boolean => {
      const count = Number(ofKind(kind)[0]?.["nth"] ?? 0);
      return count > given.length || count >= most[kind];
    };
    const [rights, lefts] = [eventsOf("right"), eventsOf("left")];
    return {
      rights,
      areRightsCut: isCut("rights", rights),
      spans: ofKind("span").map((row) => ({
        reach: numberOrNull(row["version"]),
        known: numberOrNull(row["logged_at"]),
      })),
      lefts,
      areLeftsCut: isCut("lefts", lefts),
    };
  });
}

const numberOrNull = (value: SqlRow[string] | undefined): number | null =>
  value === null || value === undefined ? null : Number(value);
