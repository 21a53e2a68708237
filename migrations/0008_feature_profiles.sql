CREATE TABLE "feature_profiles" (
	"tenant" text COLLATE "C" NOT NULL,
	"state_id" text COLLATE "C" NOT NULL,
	"hour" bigint NOT NULL,
	"taken_at" bigint NOT NULL,
	"profile" json NOT NULL,
	CONSTRAINT "feature_profiles_tenant_state_id_hour_pk" PRIMARY KEY("tenant","state_id","hour")
);
--> statement-breakpoint
CREATE INDEX "feature_profiles_hour" ON "feature_profiles" USING btree ("hour");--> statement-breakpoint
CREATE INDEX "entity_states_sample" ON "entity_states" USING btree ("tenant","state_id",hashtextextended(entity_key, 0)) WHERE hashtextextended(entity_key, 0) < -8070450532247928832;