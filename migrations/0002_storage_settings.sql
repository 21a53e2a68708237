-- What the schema in TypeScript cannot say: room for updates in place, vacuum and compression.

-- Rewritten at every fold; with free room on the page an update touches no index (HOT).
ALTER TABLE entity_heads SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.05);
--> statement-breakpoint
-- Packed states above 2 kB live in TOAST, which churns with every rewrite.
ALTER TABLE entity_states SET (
  fillfactor = 70,
  autovacuum_vacuum_scale_factor = 0.05,
  toast.autovacuum_vacuum_scale_factor = 0.05
);
--> statement-breakpoint
-- Queues: rows live for milliseconds.
ALTER TABLE pending SET (
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0
);
--> statement-breakpoint
ALTER TABLE outbox SET (
  fillfactor = 70,
  autovacuum_vacuum_scale_factor = 0,
  autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0
);
--> statement-breakpoint
-- lz4 packs and unpacks several times faster than the default; a build without it keeps the default.
DO $$ BEGIN
  ALTER TABLE entity_states ALTER COLUMN bytes SET COMPRESSION lz4;
  ALTER TABLE events ALTER COLUMN body SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL;
END $$;
--> statement-breakpoint
-- The statements are short and their estimates high: compiling one takes longer than running it.
DO $$ BEGIN
  EXECUTE format('ALTER DATABASE %I SET jit = off', current_database());
EXCEPTION WHEN insufficient_privilege THEN NULL;
END $$;
