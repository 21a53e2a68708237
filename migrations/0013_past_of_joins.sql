CREATE TABLE "entity_log_past" (
	"tenant" text COLLATE "C" NOT NULL,
	"entity" text COLLATE "C" NOT NULL,
	"entity_key" text COLLATE "C" NOT NULL,
	"version" bigint NOT NULL,
	CONSTRAINT "entity_log_past_tenant_entity_entity_key_version_pk" PRIMARY KEY("tenant","entity","entity_key","version")
);
--> statement-breakpoint
-- Of what was folded before, the times alone tell it.
INSERT INTO entity_log_past (tenant, entity, entity_key, version)
SELECT l.tenant, l.entity, l.entity_key, l.version
  FROM entity_log l JOIN events e USING (tenant, source, event_id)
 WHERE l.event_time IS NOT NULL AND e.known_at IS NULL AND l.known_at = e.ingest_time;
