CREATE TABLE "definitions" (
	"kind" text COLLATE "C" NOT NULL,
	"name" text COLLATE "C" NOT NULL,
	"version" integer NOT NULL,
	"spec_hash" text COLLATE "C" NOT NULL,
	"spec" json NOT NULL,
	"registered_at" bigint NOT NULL,
	"retired_at" bigint,
	CONSTRAINT "definitions_kind_name_version_pk" PRIMARY KEY("kind","name","version"),
	CONSTRAINT "definitions_spec" UNIQUE("kind","name","spec_hash")
);
--> statement-breakpoint
CREATE TABLE "leases" (
	"name" text COLLATE "C" PRIMARY KEY NOT NULL,
	"token" text COLLATE "C" NOT NULL,
	"holder" text COLLATE "C" NOT NULL,
	"taken_at" bigint NOT NULL,
	"renewed_at" bigint NOT NULL,
	"expires_at" bigint NOT NULL
);
