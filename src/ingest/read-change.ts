import { digest } from "../digest.ts";
import { canonicalKey, keyParts } from "../features/entity-key.ts";
import type { LogEvent } from "../features/event-log.ts";
import { changeId, changeOrder } from "../features/row-events.ts";
import type { TablePlan } from "../features/source-plan.ts";
import { recordToText, type SourceRecord } from "../features/source-record.ts";
import { ok, type Result } from "../result.ts";
import { orderText } from "./change-order.ts";
import { readRecord, type ReadContext, type ReadInput } from "./read-record.ts";
import { readValues } from "./read-values.ts";
import { invalid, type Rejection } from "./rejection.ts";
import { textProblem } from "./text-problem.ts";

/** All say the same: from now on, the row is this. */
const UPSERTS: ReadonlySet<unknown> = new Set(["insert", "update", "upsert", "read"]);

/** A change as it was sent, taken apart. */
interface Sent {
  readonly row?: unknown;
  readonly before?: unknown;
  readonly order?: unknown;
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Senders without a before-image leave it out, or give one of nulls. */
const namesRow = (table: TablePlan, value: unknown): value is Readonly<Record<string, unknown>> =>
  isObject(value) && table.key.some((column) => (value[column] ?? null) !== null);

function keyOfRow({ key }: TablePlan, record: SourceRecord): Result<string, Rejection> {
  const canonical = canonicalKey(key.map((column) => String(record[column])));
  return canonical.ok ? canonical : invalid(`${key.join(", ")}: ${canonical.error}`);
}

/** The key of a row of which nothing else needs to be there. */
async function readKey(
  ctx: ReadContext,
  { tenant }: ReadInput,
  table: TablePlan,
  value: unknown,
): Promise<Result<string, Rejection>> {
  const sent = readValues(table.identity, value);
  if (!sent.ok) return invalid(sent.error);
  const masked = await ctx.vault.mask(tenant, sent.value, table.identity.fields);
  return keyOfRow(table, masked as SourceRecord);
}

/** What the change says its order is, or else the source's column for it. */
function readOrder(
  { source }: ReadInput,
  { orderField }: TablePlan,
  ...given: readonly unknown[]
): Result<string, Rejection> {
  const value = given.find((one) => one !== undefined && one !== null);
  const column = source.fields.find(({ name }) => name === orderField) ?? null;
  if (value === undefined) {
    return invalid(
      orderField === null
        ? "order: give the change's place among those of its row, as a log sequence number or a " +
            "counter, or declare the source's order column"
        : `${orderField}: a delete needs it too, in its row or as its order`,
    );
  }
  const order = orderText(value, column);
  return order.ok ? order : invalid(`${orderField ?? "order"}: ${order.error}`);
}

/** What is known of a delete is which row it is of: its body says no more. */
async function deletion(
  { tenant, source, ingestTime, knownAt }: ReadInput,
  table: TablePlan,
  key: string,
  orderOfChange: string,
): Promise<LogEvent> {
  const row = { key, order: changeOrder(orderOfChange, true) };
  const parts = keyParts(key);
  const body = recordToText(Object.fromEntries(table.key.map((name, i) => [name, parts[i] ?? ""])));
  return {
    tenant,
    source: source.name,
    eventId: changeId(row),
    eventTime: ingestTime,
    originalEventTime: null,
    ingestTime,
    orderKey: key,
    sign: -1,
    body,
    bodyHash: await digest(body),
    knownAt,
    row,
  };
}

type Changes = Promise<Result<readonly LogEvent[], Rejection>>;

async function readDelete(
  ctx: ReadContext,
  input: ReadInput,
  table: TablePlan,
  { row, before, order }: Sent,
): Changes {
  const image = namesRow(table, row) ? row : before;
  if (!namesRow(table, image)) {
    return invalid(`row: a delete needs the row's key: ${table.key.join(", ")}`);
  }
  const key = await readKey(ctx, input, table, image);
  if (!key.ok) return key;
  const { orderField } = table;
  const text = readOrder(input, table, order, orderField === null ? null : image[orderField]);
  return text.ok ? ok([await deletion(input, table, key.value, text.value)]) : text;
}

async function readUpsert(
  ctx: ReadContext,
  input: ReadInput,
  table: TablePlan,
  { row: image, before, order }: Sent,
): Changes {
  if (!isObject(image)) return invalid("row: expected the row as it is after the change");
  const read = await readRecord(ctx, { ...input, value: image });
  if (!read.ok) return read;
  const key = keyOfRow(table, read.value.record);
  if (!key.ok) return key;
  const { orderField } = table;
  const text = readOrder(input, table, orderField === null ? order : image[orderField]);
  if (!text.ok) return text;
  const row = { key: key.value, order: changeOrder(text.value, false) };
  const event = { ...read.value.event, eventId: changeId(row), orderKey: row.key, row };
  const problem = textProblem(ctx.registry, input.source, read.value.record, row.key);
  if (problem !== null) return invalid(problem);
  if (!namesRow(table, before)) return ok([event]);
  const old = await readKey(ctx, input, table, before);
  if (!old.ok) return invalid(`before: ${old.error.detail}`);
  return old.value === row.key
    ? ok([event])
    : ok([await deletion(input, table, old.value, text.value), event]);
}

/**
 * Validates and masks one change of a table's row, `{"op","row","before","order"}`: as the log is
 * to be told of it, or why it is refused. A change of the key is two, of which the last is the row
 * under its new key.
 */
export async function readChange(ctx: ReadContext, table: TablePlan, input: ReadInput): Changes {
  const { value } = input;
  if (!isObject(value) || !("op" in value)) {
    return invalid('expected a change of a row: {"op":"upsert","row":{…}}');
  }
  const before = value["before"] ?? null;
  if (before !== null && !isObject(before)) {
    return invalid("before: expected the row as it was before the change, or null");
  }
  if (value["op"] === "delete") return readDelete(ctx, input, table, value);
  if (UPSERTS.has(value["op"])) return readUpsert(ctx, input, table, value);
  return invalid("op: expected insert, update, upsert, read or delete");
}
