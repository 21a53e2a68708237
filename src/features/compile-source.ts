import { z } from "zod";
import { durationMs } from "../time.ts";
import {
  CONTENT_HASH,
  type EventSource,
  type JoinedSource,
  type Source,
  type TableSource,
} from "./define-source.ts";
import { DefinitionError, fieldsOf, inDefinition, type Field } from "./fields.ts";
import type { JoinPlan, PairField, SourcePlan } from "./source-plan.ts";
import { specificationHash } from "./specification-hash.ts";

/** Pure. Checks and compiles a source. Throws a DefinitionError that says what to write instead. */
export function compileSource(source: Source): SourcePlan {
  if (source.kind === "event_source") return compileEvents(source);
  return source.kind === "table_source" ? compileTable(source) : compileJoin(source);
}

type Need = (name: string, role: string) => Field;

/** Looks up the fields that a source cannot do without. */
function needing(source: string, fields: readonly Field[]): Need {
  return (name, role) => {
    const field = fields.find((f) => f.name === name);
    const isKept = field !== undefined && field.pii !== "drop" && field.kind !== "vector";
    if (isKept && !field.nullable) return field;
    throw new DefinitionError(
      `source "${source}": its ${role} "${name}" must be a field that is always there and kept`,
    );
  };
}

function checkTime(source: string, time: Field): string {
  if (time.kind === "time" || time.kind === "number") return time.name;
  throw new DefinitionError(
    `source "${source}": the event time "${time.name}" must be z.iso.datetime({ offset: ` +
      `true }) or a number of epoch milliseconds; it is a ${time.kind}`,
  );
}

function sentPlan(source: EventSource | TableSource) {
  const { name, schema, accept, owner, description } = source;
  const fields = fieldsOf(name, schema);
  const need = needing(name, fields);
  const eventTimeField = checkTime(name, need(source.eventTime, "event time"));
  if (accept.length === 0) {
    throw new DefinitionError(`source "${name}" accepts nobody: add accept: [apiKey()]`);
  }
  const plan = { name, schema, fields, eventTimeField, accept, owner, description };
  return { need, plan: { ...plan, idField: null, table: null, join: null } };
}

function compileEvents(source: EventSource): SourcePlan {
  const { need, plan } = sentPlan(source);
  return { ...plan, idField: source.id === CONTENT_HASH ? null : need(source.id, "id").name };
}

function compileTable(source: TableSource): SourcePlan {
  const { need, plan } = sentPlan(source);
  const { name, key } = source;
  if (key.length === 0 || new Set(key).size !== key.length) {
    throw new DefinitionError(`source "${name}": its key is one or more different columns`);
  }
  for (const column of key) {
    const { kind } = need(column, "key column");
    if (kind !== "boolean") continue;
    throw new DefinitionError(
      `source "${name}": the key column "${column}" must be text, a number or a time`,
    );
  }
  if (source.order !== null) checkOrder(name, need(source.order, "order"));
  const { shape } = source.schema;
  const identity = {
    schema: z.object(Object.fromEntries(key.map((column) => [column, shape[column] as z.ZodType]))),
    fields: plan.fields.filter((field) => key.includes(field.name)),
  };
  return { ...plan, table: { key, identity, orderField: source.order } };
}

function checkOrder(source: string, { name, kind, pii }: Field): void {
  if (pii === null && (kind === "time" || kind === "number" || kind === "bigint")) return;
  throw new DefinitionError(
    `source "${source}": the order "${name}" must be a time or a whole number that grows with ` +
      `each change of a row`,
  );
}

const MAX_FAN_OUT = 1_000;

function compileJoin(source: JoinedSource): SourcePlan {
  const { name, schema, left, right, on, eventTime, fanOut, owner, description } = source;
  const at = `source "${name}"`;
  const kinds: readonly unknown[] = [left.kind, right.kind];
  if (kinds.some((kind) => kind !== "event_source")) {
    throw new DefinitionError(`${at}: joined() takes two sources of events`);
  }
  if (left.name === right.name) {
    throw new DefinitionError(`${at}: joined() takes two different sources`);
  }
  const withinMs = inDefinition(`${at}: within`, () => durationMs(source.within));
  if (!Number.isInteger(fanOut) || fanOut < 1 || fanOut > MAX_FAN_OUT) {
    throw new DefinitionError(`${at}: fanOut is a whole number from 1 to ${MAX_FAN_OUT}`);
  }
  const columns = [fieldsOf(left.name, left.schema), fieldsOf(right.name, right.schema)] as const;
  checkMeeting(at, on, columns);
  const kept = (side: EventSource, ofSide: readonly Field[]): readonly PairField[] =>
    ofSide
      .filter(({ pii }) => pii !== "drop")
      .map((field) => ({ from: field.name, to: `${side.name}__${field.name}` }));
  const plain = on.map((pair): PairField => ({ from: pair.left, to: pair.left }));
  const sides = {
    left: [...plain, ...kept(left, columns[0])],
    right: kept(right, columns[1]),
  };
  const fields = pairFields(at, fieldsOf(name, schema), [...sides.left, ...sides.right]);
  const spec = { left: left.name, right: right.name, on, withinMs, fanOut };
  // Of all that pairs hold: a pair is taken back by its content.
  const shapes = columns.map((side) =>
    side.flatMap(({ name: field, kind, pii }) => (pii === "drop" ? [] : [[field, kind]])),
  );
  const hash = specificationHash(JSON.stringify([spec, shapes]));
  const join: JoinPlan = {
    ...spec,
    name,
    sourceId: `${name}@${hash}`,
    fields: sides,
  };
  return {
    name,
    schema,
    fields,
    idField: null,
    eventTimeField: eventTime,
    accept: [],
    table: null,
    join,
    owner,
    description,
  };
}

/** The fields of a pair, as far as they are kept; their tokens were made under their own names. */
function pairFields(
  at: string,
  fields: readonly Field[],
  taken: readonly PairField[],
): readonly Field[] {
  const origin = new Map(taken.map(({ from, to }) => [to, from]));
  if (origin.size < taken.length) {
    const twice = taken.find(({ to }, i) => taken.findIndex((one) => one.to === to) < i)?.to;
    throw new DefinitionError(`${at}: two columns are both called "${twice}"; rename a source`);
  }
  return fields.flatMap((field) => {
    const tokenName = origin.get(field.name);
    if (tokenName === undefined) return [];
    return field.pii === null || tokenName === field.name ? [field] : [{ ...field, tokenName }];
  });
}

/** Both sides' columns must hold equal values as equal texts. */
function checkMeeting(
  at: string,
  on: JoinedSource["on"],
  [left, right]: readonly [readonly Field[], readonly Field[]],
): void {
  if (on.length === 0) throw new DefinitionError(`${at}: name the columns to join on`);
  for (const pair of on) {
    const l = left.find(({ name }) => name === pair.left);
    const r = right.find(({ name }) => name === pair.right);
    const isKey = (field: Field | undefined): field is Field =>
      field !== undefined &&
      field.pii !== "drop" &&
      field.kind !== "vector" &&
      field.kind !== "boolean";
    if (!isKey(l) || !isKey(r)) {
      throw new DefinitionError(
        `${at}: "${pair.left}" and "${pair.right}" must be columns of text, numbers or times that ` +
          `are kept`,
      );
    }
    const isNumber = (field: Field): boolean => !["string", "time"].includes(field.kind);
    if (isNumber(l) !== isNumber(r) || l.pii !== r.pii) {
      throw new DefinitionError(`${at}: "${pair.left}" and "${pair.right}" are of different kinds`);
    }
    // A token is made with the column's name: other names have other tokens for the same value.
    if (l.pii === "token" && (l.name !== r.name || l.email !== r.email)) {
      throw new DefinitionError(
        `${at}: personal columns join only under one name; "${pair.left}" is not "${pair.right}"`,
      );
    }
  }
}
