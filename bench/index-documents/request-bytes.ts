import { createDocumentIndex } from "../../src/platform/neon/document-index.ts";
import type { SqlClient } from "../../src/platform/neon/sql-client.ts";
import { createHashingEmbedder } from "../../src/retrieval/hashing-embedder.ts";
import { changeDocuments } from "../../src/retrieval/index-documents.ts";
import type { DocumentChange } from "../../src/retrieval/prepare-change.ts";
import type { CollectionPlan } from "../../src/retrieval/collection-plan.ts";
import { readDocument } from "../../src/retrieval/read-document.ts";
import type { Drawn } from "./draw.ts";

/** Pure. Bytes of a value as JSON. */
export const bytesOf = (value: unknown): number =>
  new TextEncoder().encode(JSON.stringify(value)).length;

/** Bytes of SQL and parameters that putting documents sends to Postgres, over all requests. */
export async function requestBytes(
  sql: SqlClient,
  collection: CollectionPlan,
  documents: readonly Drawn[],
): Promise<number> {
  let bytes = 0;
  const count = (value: unknown): void => void (bytes += bytesOf(value));
  const counting: SqlClient = {
    query(text, params) {
      count({ query: text, params });
      return sql.query(text, params);
    },
    batch(statements) {
      count({ queries: statements });
      return sql.batch(statements);
    },
  };
  const changes = documents.map(({ id, ...members }): DocumentChange => {
    const read = readDocument(collection, members);
    if (!read.ok) throw new Error("a document does not fit its collection");
    return { kind: "put", id, document: read.value };
  });
  const ctx = {
    documents: createDocumentIndex(counting),
    vectorSpaceOf: ({ embedder }: CollectionPlan) => createHashingEmbedder(embedder.dimensions),
    now: () => Date.now(),
  };
  await changeDocuments(ctx, { tenant: "counting", collection }, changes);
  return bytes;
}
