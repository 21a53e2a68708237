import type { SqlTruth } from "./stores.ts";

/** Everything that is counted, beside a recount of what is there. */
const RECOUNT = `
WITH space AS (SELECT * FROM search_spaces WHERE tenant = $1),
chunk AS (
  SELECT s.space, s.collection, c.* FROM search_chunks c LEFT JOIN space s USING (tenant, index_id)
   WHERE c.tenant = $1
),
word AS (SELECT c.space, c.ord, t.term FROM chunk c CROSS JOIN unnest(c.terms) AS t(term)),
posting AS (SELECT p.* FROM search_postings p WHERE p.space IN (SELECT space FROM space))
SELECT 'chunk without space' AS what, c.document_id AS which FROM chunk c WHERE c.space IS NULL
UNION ALL
SELECT 'chunk without document', c.document_id FROM chunk c
 WHERE NOT EXISTS (SELECT FROM documents d WHERE d.tenant = $1 AND d.collection = c.collection
                      AND d.document_id = c.document_id)
UNION ALL
SELECT 'document without its chunks', d.document_id FROM documents d
 WHERE d.tenant = $1 AND d.chunks <> (
   SELECT count(*) FROM chunk c WHERE c.index_id = d.index_id AND c.document_id = d.document_id)
UNION ALL
SELECT 'positions', c.document_id FROM chunk c GROUP BY c.space, c.document_id
HAVING count(*) <> count(DISTINCT c.position)
UNION ALL
SELECT 'space', s.index_id FROM space s CROSS JOIN LATERAL (
  SELECT count(*) FILTER (WHERE c.length > 0) AS texts, count(c.embedding) AS vectors,
         coalesce(sum(c.length), 0) AS tokens, coalesce(max(c.ord), -1) AS last
    FROM chunk c WHERE c.space = s.space) AS c
 WHERE s.texts <> c.texts OR s.vectors <> c.vectors OR s.tokens <> c.tokens OR s.next_ord <= c.last
UNION ALL
SELECT 'posting without chunk', p.term FROM posting p
 WHERE NOT EXISTS (SELECT FROM word w WHERE (w.space, w.ord, w.term) = (p.space, p.ord, p.term))
UNION ALL
SELECT 'word without posting', w.term FROM word w
 WHERE NOT EXISTS (SELECT FROM posting p WHERE (w.space, w.ord, w.term) = (p.space, p.ord, p.term))
UNION ALL
SELECT 'frequency', coalesce(t.term, w.term)
  FROM (SELECT * FROM search_terms WHERE space IN (SELECT space FROM space)) AS t
  FULL JOIN (SELECT space, term, count(*) AS df FROM word GROUP BY space, term) AS w
    ON t.space = w.space AND t.term = w.term
 WHERE t.df IS DISTINCT FROM w.df`;

/** What of a tenant's index does not agree with its chunks and documents; empty when sound. */
export async function unsoundness(truth: SqlTruth, tenant: string): Promise<readonly string[]> {
  const rows = await truth.query(RECOUNT, [tenant]);
  return rows.map((row) => `${row["what"]}: ${row["which"]}`);
}
