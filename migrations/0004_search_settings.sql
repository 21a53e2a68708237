-- What the schema in TypeScript cannot say: what indexes include, and where values are kept.

-- A keyword search reads postings from this index alone.
ALTER TABLE search_postings DROP CONSTRAINT search_postings_space_term_ord_pk;
--> statement-breakpoint
ALTER TABLE search_postings ADD CONSTRAINT search_postings_space_term_ord_pk
  PRIMARY KEY (space, term, ord) INCLUDE (tf, length);
--> statement-breakpoint
-- Reading the index alone needs pages that vacuum has seen, also where rows are only added.
ALTER TABLE search_postings SET (
  autovacuum_vacuum_scale_factor = 0.05,
  autovacuum_vacuum_insert_scale_factor = 0.05
);
--> statement-breakpoint
-- What scans and filters read stays in the row; text and terms leave a long row first.
ALTER TABLE search_chunks
  ALTER COLUMN tenant SET STORAGE MAIN,
  ALTER COLUMN index_id SET STORAGE MAIN,
  ALTER COLUMN document_id SET STORAGE MAIN,
  ALTER COLUMN hash SET STORAGE MAIN,
  ALTER COLUMN fields SET STORAGE MAIN,
  ALTER COLUMN embedding SET STORAGE MAIN;
--> statement-breakpoint
-- Rewritten at every commit of the space, and at a term's every new chunk: in place (HOT).
ALTER TABLE search_spaces SET (fillfactor = 50);
--> statement-breakpoint
ALTER TABLE search_terms SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
--> statement-breakpoint
-- A chunk whose fields change keeps its place in the vector index where its page has room.
ALTER TABLE search_chunks SET (fillfactor = 80);
--> statement-breakpoint
DO $$ BEGIN
  ALTER TABLE documents ALTER COLUMN body SET COMPRESSION lz4;
  ALTER TABLE search_chunks ALTER COLUMN text SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL;
END $$;
