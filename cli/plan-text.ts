import type { DefinitionKind } from "../src/planning/definition-record.ts";
import type { Incompatibility } from "../src/planning/incompatible.ts";
import type { BuildCost, Plan, PlannedChange } from "../src/planning/plan.ts";
import type { Reader } from "../src/planning/readers.ts";
import { changeLines, changeText } from "./change-text.ts";
import { counted, durationText, numberText } from "./support/number-text.ts";

const KIND: Readonly<Record<DefinitionKind, string>> = {
  entity: "entity",
  source: "source",
  view: "view",
  on_demand_view: "on-demand view",
  service: "service",
  model: "model",
  collection: "collection",
};

const MARK = { added: "+", changed: "~", removed: "-", unfinished: "…" } as const;

/** Only a view's number is seen outside: it stands in every answer. */
function versionText({ kind, action, from, to }: PlannedChange): string {
  if (action === "unfinished") return ": registered, and not completely built";
  if (kind !== "view") return "";
  if (action === "removed") return `, version ${from}`;
  return from === null ? `, version ${to}` : `, version ${from} → ${to}`;
}

function buildText({ backfill, entities, events, exact, seconds }: BuildCost): string {
  if (events === 0) return "nothing to build: no event in the log";
  const about = exact ? "" : "about ";
  const read = `${about}${counted(events, "event", "events")}`;
  const fed =
    backfill === null
      ? ""
      : `, after ${counted(backfill, "past event", "past events")} are given to it`;
  const of = entities === 0 ? "" : ` of ${counted(entities, "entity", "entities")}`;
  return `to be built from ${read}${of}${fed}: about ${durationText(seconds)}`;
}

function readersText({ readers, action, changes }: PlannedChange): string | null {
  if (readers.length === 0) return null;
  const gone = new Set(
    changes.flatMap(({ path: [list, name] }) =>
      list === "features" && name !== undefined ? [name] : [],
    ),
  );
  const one = ({ kind, name, takes }: Reader): string => {
    if (takes === null) return `${KIND[kind]} ${name}`;
    const features = takes.map((feature) => (gone.has(feature) ? `${feature} (changed)` : feature));
    return `${KIND[kind]} ${name} (${features.join(", ")})`;
  };
  return `${action === "removed" ? "was read" : "read"} by ${readers.map(one).join(", ")}`;
}

function documentsText({ kind, documents }: PlannedChange): string | null {
  if (kind !== "collection" || documents === null || documents.count === 0) return null;
  const about = documents.exact ? "" : "about ";
  return `${about}${counted(documents.count, "document", "documents")} to be indexed again`;
}

function linesOf(change: PlannedChange): readonly string[] {
  const { kind, name, action, build, stateBytes } = change;
  const details = [
    ...changeLines(kind, change.changes),
    build === null ? null : buildText(build),
    stateBytes === null
      ? null
      : `state size at most ${numberText(stateBytes)} bytes an entity (of numbers below 1e38)`,
    documentsText(change),
    action === "added" ? null : readersText(change),
  ];
  return [
    `${MARK[action]} ${KIND[kind]} ${name}${versionText(change)}`,
    ...details.flatMap((detail) => (detail === null ? [] : [`    ${detail}`])),
  ];
}

function incompatibleText({ source, change, views, events }: Incompatibility): string {
  const what = changeText("source", change).slice(2);
  const logged = `${events.exact ? "" : "about "}${counted(events.count, "event", "events")}`;
  const used = views.length === 0 ? "" : `, used by ${views.join(", ")}`;
  return `source ${source}, ${what}: not so in the ${logged} of the log${used}`;
}

function section(title: string, lines: readonly string[]): readonly string[] {
  return lines.length === 0 ? [] : ["", title, ...lines.map((line) => `  ${line}`)];
}

function summaryOf({ changes, unchanged, seconds }: Plan): string {
  const parts = (["added", "changed", "removed", "unfinished"] as const).flatMap((action) => {
    const count = changes.filter((one) => one.action === action).length;
    return count === 0 ? [] : [`${count} ${action}`];
  });
  const building = seconds > 0 ? `; about ${durationText(seconds)} to build views` : "";
  return `${[...parts, `${unchanged} unchanged`].join(", ")}${building}.`;
}

/** Pure. The plan in lines, for people. */
export function planText(plan: Plan): readonly string[] {
  const { changes, incompatible, sameFeatures, warnings, problems, unchanged } = plan;
  const summary =
    changes.length === 0
      ? `Nothing to do: ${counted(unchanged, "definition is", "definitions are")} as applied.`
      : summaryOf(plan);
  return [
    ...changes.flatMap(linesOf),
    ...(changes.length === 0 ? [] : [""]),
    summary,
    ...section(
      "In use beside them, until they are applied without --beside:",
      plan.beside.map(({ name, version }) => `view ${name}, version ${version}`),
    ),
    ...section("Not compatible with what is in the log:", incompatible.map(incompatibleText)),
    ...section(
      "There already under another name:",
      sameFeatures.map(({ feature, existing }) => `${feature} is computed as ${existing} is`),
    ),
    ...section("Take note:", warnings),
    ...section("Cannot be applied:", problems),
  ];
}
