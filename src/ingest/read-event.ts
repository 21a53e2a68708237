import type { LogEvent } from "../features/event-log.ts";
import { ok, type Result } from "../result.ts";
import { readRecord, type ReadContext, type ReadInput } from "./read-record.ts";
import { invalid, type Rejection } from "./rejection.ts";
import { textProblem } from "./text-problem.ts";

const MAX_ID_LENGTH = 256;

/** Validates and masks one event: as the log will keep it, or why it is refused. */
export async function readEvent(
  ctx: ReadContext,
  input: ReadInput,
): Promise<Result<LogEvent, Rejection>> {
  const { idField } = input.source;
  const read = await readRecord(ctx, input);
  if (!read.ok) return read;
  const { record, event } = read.value;
  const eventId = idField === null ? event.bodyHash : String(record[idField]);
  if (eventId === "" || eventId.length > MAX_ID_LENGTH) {
    return invalid(`${idField}: an event id has 1 to ${MAX_ID_LENGTH} characters`);
  }
  const problem = textProblem(ctx.registry, input.source, record, eventId);
  return problem === null ? ok({ ...event, eventId, orderKey: eventId }) : invalid(problem);
}
