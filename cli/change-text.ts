import {
  isObject,
  type DefinitionKind,
  type Json,
  type JsonObject,
} from "../src/planning/definition-record.ts";
import type { Change } from "../src/planning/diff-spec.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../src/time.ts";

const UNITS = [
  ["d", DAY_MS],
  ["h", HOUR_MS],
  ["m", MINUTE_MS],
  ["s", SECOND_MS],
] as const;

/** Pure. `7d` for 604,800,000. */
function lengthText(ms: Json | undefined): string {
  if (typeof ms !== "number") return "";
  const [unit, size] = UNITS.find(([, one]) => ms % one === 0) ?? ["ms", 1];
  return `${ms / size}${unit}`;
}

function windowText({ kind, lengthMs, hopMs, ...more }: JsonObject): string {
  const length = lengthText(lengthMs);
  if (kind === "sawtooth") return length;
  const hop = kind === "hopping" && hopMs !== undefined ? ` by ${lengthText(hopMs)}` : "";
  const words = [plainText(kind ?? null), `${length}${hop}`, ...membersText(more)];
  return words.filter((word) => word !== "").join(" ");
}

function whereText(where: Json): string {
  if (!Array.isArray(where) || where.length === 0) return "every event";
  return (where as readonly Json[])
    .map((one) => {
      if (!isObject(one) || !Array.isArray(one["values"])) return JSON.stringify(one);
      return `${plainText(one["field"] ?? null)} = ${one["values"].map(plainText).join(" | ")}`;
    })
    .join(", ");
}

const plainText = (value: Json): string => {
  if (typeof value === "string") return value === "" ? '""' : value;
  if (Array.isArray(value) && value.every((item) => typeof item === "string")) {
    return value.length === 0 ? "none" : value.join(", ");
  }
  return value === null ? "none" : JSON.stringify(value);
};

const membersText = (members: JsonObject): readonly string[] =>
  Object.entries(members)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${valueText(name, value)}`);

/** Pure. A member's value, for people. */
function valueText(member: string, value: Json): string {
  if (member === "window" && isObject(value)) return windowText(value);
  if (member === "where") return whereText(value);
  if (/_ms$|Ms$/.test(member) && value !== null) return lengthText(value);
  return plainText(value);
}

/** Pure. `sum(amount) where country = DE over 7d`: a feature with all that is said of it. */
function featureText(feature: JsonObject): string {
  const { name: _, kind: _kind, aggregate, field = null, where = [], window, ...more } = feature;
  const over = isObject(window) ? windowText(window) : "";
  return [
    `${plainText(aggregate ?? null)}(${field === null ? "" : plainText(field)})`,
    ...(Array.isArray(where) && where.length > 0 ? [`where ${whereText(where)}`] : []),
    ...(over === "" || over === "lifetime" ? [] : [`over ${over}`]),
    ...membersText(more),
  ].join(" ");
}

function fieldText({ kind, nullable, pii }: JsonObject): string {
  const facts = [kind, nullable === true ? "nullable" : null, pii];
  return facts.flatMap((fact) => (typeof fact === "string" ? [fact] : [])).join(", ");
}

/** Pure. What is in a list, in full. */
function itemText(kind: DefinitionKind, list: string, item: Json): string {
  if (!isObject(item)) return plainText(item);
  if (kind === "view" && list === "features") return featureText(item);
  if (kind === "source" && list === "fields") return fieldText(item);
  const { name: _, ...more } = item;
  return membersText(more).join(", ");
}

const LISTS: Readonly<Record<string, string>> = {
  features: "feature",
  fields: "field",
  request: "request field",
};
const MEMBERS: Readonly<Record<string, string>> = {
  id: "the event's id",
  cases: "golden cases",
  file: "contents of the file",
  format: "the engine's format",
  kind: "type",
  max_age_ms: "max age",
};

const words = (name: string): string => MEMBERS[name] ?? name.replaceAll("_", " ");

/** Pure. Changes in lines, those of one item in one: `~ feature total: window 7d → 30d`. */
export function changeLines(kind: DefinitionKind, changes: readonly Change[]): readonly string[] {
  const lines = new Map<string, string>();
  for (const change of changes) {
    const { path, before, after } = change;
    const [list, item, member] = path;
    const of = member === undefined ? JSON.stringify(path) : JSON.stringify([list, item, "…"]);
    const line = lines.get(of);
    const more = member && `${line}, ${words(member)} ${arrow(member, before, after)}`;
    lines.set(of, line === undefined || !more ? changeText(kind, change) : more);
  }
  return [...lines.values()];
}

/** Pure. One change in a line. */
export function changeText(kind: DefinitionKind, change: Change): string {
  const { path, action, before, after } = change;
  const [list = "", item, member] = path;
  if (action === "rewritten") return "~ the same, as another version of the engine writes it";
  if (action === "reordered") return `~ order of ${words(list)}: ${plainText(after)}`;
  if (item === undefined) {
    const values = list === "cases" || list === "file" ? "" : `: ${arrow(list, before, after)}`;
    return `~ ${words(list)}${values}`;
  }
  const what = `${LISTS[list] ?? words(list)} ${LISTS[list] === undefined ? words(item) : item}`;
  if (member !== undefined) return `~ ${what}: ${words(member)} ${arrow(member, before, after)}`;
  const full = (value: Json): string => {
    const text = itemText(kind, list, value);
    return text === "" ? "" : `: ${text}`;
  };
  if (action === "added") return `+ ${what}${full(after)}`;
  if (action === "removed") return `- ${what}${full(before)}`;
  if (action === "changed") return `~ ${what}: ${arrow(item, before, after)}`;
  return `~ ${what} was ${plainText((before as JsonObject)["name"] ?? null)}`;
}

const arrow = (member: string, before: Json, after: Json): string =>
  `${valueText(member, before)} → ${valueText(member, after)}`;
