ALTER TABLE "feature_views" ADD COLUMN "withdrawn" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "feature_views" ADD COLUMN "join_plan" json;