ALTER TABLE "entity_log" ADD COLUMN "event_time" bigint;--> statement-breakpoint
ALTER TABLE "pending" ADD COLUMN "known_at" bigint;--> statement-breakpoint
CREATE INDEX "entity_log_met" ON "entity_log" USING btree ("tenant","entity","entity_key","event_time") WHERE "entity_log"."event_time" IS NOT NULL;