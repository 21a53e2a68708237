CREATE TABLE "entity_heads" (
	"tenant" text COLLATE "C" NOT NULL,
	"entity" text COLLATE "C" NOT NULL,
	"entity_key" text COLLATE "C" NOT NULL,
	"previous" bigint NOT NULL,
	"version" bigint NOT NULL,
	"builds" bigint NOT NULL,
	CONSTRAINT "entity_heads_tenant_entity_entity_key_pk" PRIMARY KEY("tenant","entity","entity_key")
);
--> statement-breakpoint
CREATE TABLE "entity_log" (
	"tenant" text COLLATE "C" NOT NULL,
	"entity" text COLLATE "C" NOT NULL,
	"entity_key" text COLLATE "C" NOT NULL,
	"version" bigint NOT NULL,
	"known_at" bigint NOT NULL,
	"source" text COLLATE "C" NOT NULL,
	"event_id" text COLLATE "C" NOT NULL,
	CONSTRAINT "entity_log_tenant_entity_entity_key_version_pk" PRIMARY KEY("tenant","entity","entity_key","version")
);
--> statement-breakpoint
CREATE TABLE "entity_states" (
	"tenant" text COLLATE "C" NOT NULL,
	"entity" text COLLATE "C" NOT NULL,
	"entity_key" text COLLATE "C" NOT NULL,
	"state_id" text COLLATE "C" NOT NULL,
	"version" bigint NOT NULL,
	"bytes" "bytea" NOT NULL,
	CONSTRAINT "entity_states_tenant_entity_entity_key_state_id_pk" PRIMARY KEY("tenant","entity","entity_key","state_id")
);
--> statement-breakpoint
CREATE TABLE "erasures" (
	"tenant" text COLLATE "C" NOT NULL,
	"entity" text COLLATE "C" NOT NULL,
	"entity_key" text COLLATE "C" NOT NULL,
	"erased_at" bigint NOT NULL,
	CONSTRAINT "erasures_tenant_entity_entity_key_pk" PRIMARY KEY("tenant","entity","entity_key")
);
--> statement-breakpoint
CREATE TABLE "events" (
	"tenant" text COLLATE "C" NOT NULL,
	"source" text COLLATE "C" NOT NULL,
	"event_id" text COLLATE "C" NOT NULL,
	"event_time" bigint NOT NULL,
	"original_event_time" bigint,
	"ingest_time" bigint NOT NULL,
	"known_at" bigint,
	"sign" smallint NOT NULL,
	"order_key" text COLLATE "C" NOT NULL,
	"body_hash" "bytea" NOT NULL,
	"body" json NOT NULL,
	CONSTRAINT "events_tenant_source_event_id_pk" PRIMARY KEY("tenant","source","event_id")
);
--> statement-breakpoint
CREATE TABLE "feature_views" (
	"name" text COLLATE "C" NOT NULL,
	"version" integer NOT NULL,
	"spec_hash" text COLLATE "C" NOT NULL,
	"state_id" text COLLATE "C" NOT NULL,
	"spec" json NOT NULL,
	"entity" text COLLATE "C" NOT NULL,
	"complete" boolean NOT NULL,
	"registered_at" bigint NOT NULL,
	"retired_at" bigint,
	CONSTRAINT "feature_views_name_version_pk" PRIMARY KEY("name","version"),
	CONSTRAINT "feature_views_state_id" UNIQUE("state_id")
);
--> statement-breakpoint
CREATE TABLE "outbox" (
	"tenant" text COLLATE "C" NOT NULL,
	"entity" text COLLATE "C" NOT NULL,
	"entity_key" text COLLATE "C" NOT NULL,
	"version" bigint NOT NULL,
	"since" bigint NOT NULL,
	"changed_at" bigint NOT NULL,
	CONSTRAINT "outbox_tenant_entity_entity_key_pk" PRIMARY KEY("tenant","entity","entity_key")
);
--> statement-breakpoint
CREATE TABLE "pending" (
	"tenant" text COLLATE "C" NOT NULL,
	"entity" text COLLATE "C" NOT NULL,
	"entity_key" text COLLATE "C" NOT NULL,
	"source" text COLLATE "C" NOT NULL,
	"event_id" text COLLATE "C" NOT NULL,
	"since" bigint NOT NULL,
	CONSTRAINT "pending_tenant_entity_entity_key_source_event_id_pk" PRIMARY KEY("tenant","entity","entity_key","source","event_id")
);
--> statement-breakpoint
CREATE TABLE "quarantine" (
	"tenant" text COLLATE "C" NOT NULL,
	"id" text COLLATE "C" NOT NULL,
	"source" text COLLATE "C" NOT NULL,
	"reason" text COLLATE "C" NOT NULL,
	"detail" text COLLATE "C" NOT NULL,
	"payload" text COLLATE "C" NOT NULL,
	"event_id" text COLLATE "C",
	"received_at" bigint NOT NULL,
	"replayed_at" bigint,
	CONSTRAINT "quarantine_tenant_id_pk" PRIMARY KEY("tenant","id")
);
--> statement-breakpoint
CREATE TABLE "revoked_keys" (
	"tenant" text COLLATE "C" NOT NULL,
	"key_id" text COLLATE "C" NOT NULL,
	"revoked_at" bigint NOT NULL,
	CONSTRAINT "revoked_keys_tenant_key_id_pk" PRIMARY KEY("tenant","key_id")
);
--> statement-breakpoint
CREATE TABLE "tenants" (
	"tenant" text COLLATE "C" PRIMARY KEY NOT NULL,
	"generation" text COLLATE "C" NOT NULL,
	"revision" bigint NOT NULL,
	"created_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE INDEX "outbox_since" ON "outbox" USING btree ("since");--> statement-breakpoint
CREATE INDEX "pending_since" ON "pending" USING btree ("since");