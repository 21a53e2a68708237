CREATE SEQUENCE "public"."document_versions" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1;--> statement-breakpoint
CREATE TABLE "documents" (
	"tenant" text COLLATE "C" NOT NULL,
	"collection" text COLLATE "C" NOT NULL,
	"document_id" text COLLATE "C" NOT NULL,
	"version" bigint NOT NULL,
	"index_id" text COLLATE "C" NOT NULL,
	"chunks" integer NOT NULL,
	"body" json NOT NULL,
	"content_hash" text COLLATE "C" NOT NULL,
	"expires_at" bigint,
	"updated_at" bigint NOT NULL,
	CONSTRAINT "documents_tenant_collection_document_id_pk" PRIMARY KEY("tenant","collection","document_id")
);
--> statement-breakpoint
CREATE TABLE "search_chunks" (
	"tenant" text COLLATE "C" NOT NULL,
	"index_id" text COLLATE "C" NOT NULL,
	"ord" integer NOT NULL,
	"position" integer NOT NULL,
	"length" integer NOT NULL,
	"expires_at" bigint,
	"document_id" text COLLATE "C" NOT NULL,
	"hash" text COLLATE "C" NOT NULL,
	"fields" jsonb NOT NULL,
	"embedding" halfvec,
	"text" text COLLATE "C" NOT NULL,
	"terms" text[] NOT NULL,
	CONSTRAINT "search_chunks_tenant_index_id_ord_pk" PRIMARY KEY("tenant","index_id","ord")
);
--> statement-breakpoint
CREATE TABLE "search_indexes" (
	"index_id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"collection" text COLLATE "C" NOT NULL,
	"dimensions" integer NOT NULL,
	"spec" json NOT NULL,
	"complete" boolean NOT NULL,
	"registered_at" bigint NOT NULL,
	"retired_at" bigint
);
--> statement-breakpoint
CREATE TABLE "search_postings" (
	"space" bigint NOT NULL,
	"ord" integer NOT NULL,
	"tf" integer NOT NULL,
	"length" integer NOT NULL,
	"term" text COLLATE "C" NOT NULL,
	CONSTRAINT "search_postings_space_term_ord_pk" PRIMARY KEY("space","term","ord")
);
--> statement-breakpoint
CREATE TABLE "search_spaces" (
	"tenant" text COLLATE "C" NOT NULL,
	"index_id" text COLLATE "C" NOT NULL,
	"collection" text COLLATE "C" NOT NULL,
	"space" bigint GENERATED ALWAYS AS IDENTITY (sequence name "search_spaces_space_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"next_ord" integer NOT NULL,
	"texts" integer NOT NULL,
	"vectors" integer NOT NULL,
	"tokens" bigint NOT NULL,
	CONSTRAINT "search_spaces_tenant_index_id_pk" PRIMARY KEY("tenant","index_id")
);
--> statement-breakpoint
CREATE TABLE "search_terms" (
	"space" bigint NOT NULL,
	"df" integer NOT NULL,
	"term" text COLLATE "C" NOT NULL,
	CONSTRAINT "search_terms_space_term_pk" PRIMARY KEY("space","term")
);
--> statement-breakpoint
CREATE INDEX "documents_index" ON "documents" USING btree ("collection","index_id","version");--> statement-breakpoint
CREATE INDEX "documents_expiry" ON "documents" USING btree ("collection","expires_at") WHERE expires_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX "search_chunks_document" ON "search_chunks" USING btree ("tenant","index_id","document_id");--> statement-breakpoint
CREATE INDEX "search_spaces_index" ON "search_spaces" USING btree ("index_id");