CREATE TABLE "served_answers" (
	"tenant" text COLLATE "C" NOT NULL,
	"id" text COLLATE "C" NOT NULL,
	"service" text COLLATE "C",
	"view" text COLLATE "C" NOT NULL,
	"entity" text COLLATE "C" NOT NULL,
	"entity_key" text COLLATE "C" NOT NULL,
	"version" text COLLATE "C" NOT NULL,
	"as_of" bigint NOT NULL,
	"served_at" bigint NOT NULL,
	"answer" json NOT NULL,
	CONSTRAINT "served_answers_tenant_id_pk" PRIMARY KEY("tenant","id")
);
--> statement-breakpoint
CREATE INDEX "served_answers_served_at" ON "served_answers" USING btree ("served_at");