CREATE TABLE "feeds" (
	"name" text COLLATE "C" PRIMARY KEY NOT NULL,
	"source" text COLLATE "C" NOT NULL,
	"complete" boolean NOT NULL
);
--> statement-breakpoint
CREATE TABLE "missed_events" (
	"tenant" text COLLATE "C" NOT NULL,
	"source" text COLLATE "C" NOT NULL,
	"event_id" text COLLATE "C" NOT NULL,
	"feeds" text[] NOT NULL,
	CONSTRAINT "missed_events_tenant_source_event_id_pk" PRIMARY KEY("tenant","source","event_id")
);
--> statement-breakpoint
CREATE INDEX "missed_events_source" ON "missed_events" USING btree ("source");