import { excessOf, orderBytes, type Excess, type Keeping } from "../features/kept-text.ts";
import { ordered } from "../features/pairs.ts";
import type { ViewPlan } from "../features/plan.ts";
import type { Registry } from "../features/registry.ts";
import type { SourcePlan } from "../features/source-plan.ts";
import type { SourceRecord } from "../features/source-record.ts";

/**
 * Pure. What views, also those of pairs, keep of a source's events: under the source's own names, and
 * of a side, since the other one is not known yet, whatever the condition.
 */
function keptOf(
  { joinsByEntity }: Registry,
  view: ViewPlan,
  source: SourcePlan,
): readonly Keeping[] {
  if (view.sourceId === source.name) return view.partials;
  const join = joinsByEntity.get(view.sourceId);
  if (join === undefined) return [];
  const columns = [
    ...(join.left === source.name ? join.fields.left : []),
    ...(join.right === source.name ? join.fields.right : []),
  ];
  if (columns.length === 0) return [];
  return view.partials.flatMap(({ field, keeps }): readonly Keeping[] => {
    const from = columns.find(({ to }) => to === field?.name)?.from;
    const order = keeps.order === null ? null : orderBytes(source);
    return [
      { field: null, conditions: [], keeps: { text: null, order } },
      ...(from === undefined
        ? []
        : [{ field: { name: from }, conditions: [], keeps: { ...keeps, order: null } }]),
    ];
  });
}

/** Pure. Why an event is refused: a view would keep a text of it that is longer than may be. */
export function textProblem(
  registry: Registry,
  source: SourcePlan,
  record: SourceRecord,
  orderKey: string,
): string | null {
  for (const view of registry.views.values()) {
    const excess = excessOf(keptOf(registry, view, source), record, ordered(orderKey));
    if (excess !== null) return detailOf(source, view, excess);
  }
  return null;
}

function detailOf({ idField, table }: SourcePlan, view: ViewPlan, excess: Excess): string {
  const name = excess.field ?? table?.key.join(", ") ?? idField ?? "id";
  return (
    `${name}: longer than the ${excess.maxBytes} bytes that view "${view.name}" can keep of it; ` +
    "a max(n) in the source's schema sets another bound"
  );
}
