import { z } from "zod";
import { err, ok, type Result } from "../result.ts";
import type { IngestMessage } from "./envelope.ts";

const time = z.int();
const text = z.string();

/** Text of a quarantine entry: if that were refused, an event would block its batch for ever. */
const storable = text.refine((value) => value.isWellFormed() && !value.includes("\0"), {
  error: "holds what no store can keep",
});
const name = storable.min(1);

const event = z.object({
  tenant: name,
  source: name,
  eventId: name,
  eventTime: time,
  originalEventTime: time.nullable(),
  ingestTime: time,
  orderKey: text,
  sign: z.union([z.literal(1), z.literal(-1)]),
  body: text.startsWith("{"),
  bodyHash: text.regex(/^[0-9a-f]{32}$/),
  knownAt: time.nullable(),
  row: z.object({ key: name, order: text.regex(/^[0-9.]+[+-]$/) }).exactOptional(),
});

const wait = z.object({ token: text, part: z.int().nonnegative() });

const entry = z.object({
  id: name,
  tenant: name,
  source: storable,
  reason: storable,
  detail: storable,
  payload: storable,
  eventId: storable.nullable(),
  receivedAt: time,
});

const answer = z.object({
  tenant: name,
  id: name,
  service: storable.nullable(),
  view: name,
  entity: name,
  key: name,
  version: text.regex(/^\d{1,9}\.\d{1,15}$/),
  asOf: time,
  servedAt: time,
  features: z.array(text),
  values: z.array(z.unknown()),
  statuses: z.array(text),
  capped: z.array(text),
});

const ref = z.object({ tenant: name, entity: name, key: name });

const met = z.object({ source: name, eventId: name, at: ref });

const message = z.discriminatedUnion("kind", [
  z.object({
    v: z.literal(1),
    kind: z.literal("events"),
    events: z.array(event),
    wait: wait.nullable(),
    traceparent: text.nullable(),
  }),
  z.object({ v: z.literal(1), kind: z.literal("quarantine"), entries: z.array(entry) }),
  z.object({
    v: z.literal(1),
    kind: z.literal("fold"),
    entities: z.array(ref),
    waits: z.array(wait.extend({ tenant: name, met: z.array(met).default([]) })),
    tries: z.int().nonnegative().default(0),
  }),
  z.object({
    v: z.literal(1),
    kind: z.literal("fill"),
    tenant: name,
    generation: name,
    after: z.object({ entity: storable, key: storable }).nullable(),
  }),
  z.object({ v: z.literal(1), kind: z.literal("answers"), answers: z.array(answer) }),
]);

/** Pure. A queue message's body as what it should be, or the place where it is not. */
export function parseMessage(body: unknown): Result<IngestMessage, string> {
  const parsed = message.safeParse(body);
  if (parsed.success) return ok(parsed.data);
  const issue = parsed.error.issues[0];
  return err(`${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not a message"}`);
}
