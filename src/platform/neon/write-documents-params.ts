import { AppError } from "../../errors.ts";
import { quantizeLength } from "../../retrieval/bm25.ts";
import type { DocumentWrite, IndexRef } from "../../retrieval/document-index.ts";
import type { SqlParam } from "./sql-client.ts";
import { vectorParam } from "./vector-index.ts";

/**
 * Pure. The parameters of `writeDocumentsStatement`. Throws AppError `internal` where an id, or a
 * chunk within its document, is there twice.
 */
export function writeDocumentsParams(
  { tenant, collection, indexId }: IndexRef,
  writes: readonly DocumentWrite[],
  now: number,
): readonly SqlParam[] {
  checkDistinct(writes.map(({ id }) => id));
  const puts = writes.map((write) => (write.kind === "put" ? write : null));
  const chunks = puts.flatMap((put, index) => {
    checkDistinct(put?.chunks.map(({ hash }) => hash) ?? []);
    return (put?.chunks ?? []).map((chunk, position) => ({ write: index + 1, position, ...chunk }));
  });
  return [
    tenant,
    collection,
    indexId,
    now,
    writes.map(({ id }) => id),
    writes.map(({ expected }) => expected),
    puts.map((put) => put?.body ?? null),
    puts.map((put) => put?.contentHash ?? null),
    puts.map((put) => (put === null ? null : JSON.stringify(put.fields))),
    puts.map((put) => put?.expiresAt ?? null),
    puts.map((put) => put?.chunks.length ?? null),
    chunks.map(({ write }) => write),
    chunks.map(({ position }) => position),
    chunks.map(({ hash }) => hash),
    chunks.map(({ content }) => content?.text ?? null),
    chunks.map(({ content }) => content?.length ?? null),
    chunks.map(({ content }) => (content === null ? null : quantizeLength(content.length))),
    chunks.map(({ content }) => (content?.vector ? vectorParam(content.vector) : null)),
    chunks.map(({ content }) => arrayLiteral(content?.terms.map(({ term }) => term))),
    chunks.map(({ content }) => arrayLiteral(content?.terms.map(({ count }) => String(count)))),
  ];
}

/** An array within an array of texts, where the arrays have several lengths. */
const arrayLiteral = (items: readonly string[] | undefined): string | null =>
  items === undefined
    ? null
    : `{${items.map((item) => `"${item.replaceAll(/["\\]/g, "\\$&")}"`).join(",")}}`;

/** The statement would write twice what is named twice. */
function checkDistinct(names: readonly string[]): void {
  if (new Set(names).size === names.length) return;
  throw new AppError("internal", "A document or a chunk is written twice at once.");
}
