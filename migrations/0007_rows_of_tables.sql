CREATE TABLE "source_rows" (
	"tenant" text COLLATE "C" NOT NULL,
	"source" text COLLATE "C" NOT NULL,
	"row_key" text COLLATE "C" NOT NULL,
	"order_key" text COLLATE "C" NOT NULL,
	"previous" text COLLATE "C",
	"event_id" text COLLATE "C",
	CONSTRAINT "source_rows_tenant_source_row_key_pk" PRIMARY KEY("tenant","source","row_key")
);
--> statement-breakpoint
-- Rewritten at every change of a row; with free room on the page an update touches no index (HOT).
ALTER TABLE source_rows SET (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05);
