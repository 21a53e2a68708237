DROP INDEX "missed_events_source";--> statement-breakpoint
ALTER TABLE "missed_events" DROP CONSTRAINT "missed_events_tenant_source_event_id_pk";--> statement-breakpoint
CREATE INDEX "missed_events_event" ON "missed_events" USING btree ("tenant","source","event_id");