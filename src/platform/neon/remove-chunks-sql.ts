/**
 * Parts of a WITH list that keep a space's index and statistics equal to its chunks; the lock on
 * the collection (LOCK_COLLECTION) is held, so that the snapshot is the present. They ask for
 * - `removed` (space, ord, terms, row_id): chunks that go,
 * - `change` (space, term, difference): in how many chunks more or fewer a term is.
 *
 * A row's place (ctid) names it: nobody else changes rows of these spaces. The planner cannot know
 * how many rows there are, hence LATERAL … OFFSET 0, one look-up per row; see APPEND.
 */
export const REMOVE_CHUNKS = `
dropped_posting AS (
  DELETE FROM search_postings p WHERE p.ctid = ANY (ARRAY(
    SELECT q.row_id FROM removed r CROSS JOIN LATERAL unnest(r.terms) AS t(term)
     CROSS JOIN LATERAL (
       SELECT p.ctid AS row_id FROM search_postings p
        WHERE p.space = r.space AND p.term = t.term AND p.ord = r.ord OFFSET 0) AS q))
), dropped_chunk AS (
  DELETE FROM search_chunks c WHERE c.ctid = ANY (ARRAY(SELECT row_id FROM removed))
)`;

export const CHANGE_FREQUENCIES = `
frequency AS MATERIALIZED (
  SELECT c.space, c.term, coalesce(t.df, 0) + c.difference AS df, t.row_id
    FROM change c LEFT JOIN LATERAL (
      SELECT d.df, d.ctid AS row_id FROM search_terms d
       WHERE d.space = c.space AND d.term = c.term OFFSET 0
    ) AS t ON true
), counted_term AS (
  INSERT INTO search_terms (space, term, df)
  SELECT space, term, df FROM frequency WHERE df > 0 ORDER BY space, term COLLATE "C"
  ON CONFLICT (space, term) DO UPDATE SET df = excluded.df
), dropped_term AS (
  DELETE FROM search_terms t
   WHERE t.ctid = ANY (ARRAY(SELECT row_id FROM frequency WHERE df <= 0))
)`;

/** What a chunk counts for in its space, of rows `c` of search_chunks or of the same columns. */
export const CHUNK_COUNTS = `(c.length > 0)::int AS texts,
         (c.embedding IS NOT NULL)::int AS vectors, c.length AS tokens`;
