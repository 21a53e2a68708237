import type { FeatureValue } from "./aggregates/aggregate.ts";
import type { Status, ViewAnswer } from "./assemble.ts";
import { computeOnDemand, type RequestOf } from "./on-demand.ts";
import type { Selection } from "./select.ts";

/** One row of an answer, in the order of its columns. */
export interface RowAnswer {
  readonly values: readonly FeatureValue[];
  readonly statuses: readonly Status[];
  /** Names of the features whose value is a bound that was reached: the truth is more. */
  readonly capped: readonly string[];
}

/** The columns of an answer, and how a row of them is made. */
export interface Columns {
  /** `view:feature`, in their order. */
  readonly names: readonly string[];
  /**
   * A row, of the answers of the selection's views, in their order, and of what on-demand features
   * need of the request. A function that throws gives null, and its name is added to `failed`.
   */
  assemble(
    ofViews: readonly (ViewAnswer | undefined)[],
    request: RequestOf | undefined,
    failed: Set<string>,
  ): RowAnswer;
}

const NONE: readonly string[] = [];

/** Pure. The columns of what was selected. */
export function columnsOf(selection: Selection): Columns {
  const names = selection.outputs.map(({ name }) => name);
  const answerNames = [...selection.views, ...selection.onDemand].map(({ name }) => name);
  // Which of a row's answers holds a column (views, then on-demand views), and where.
  const places = selection.outputs.map(({ view, index }) => ({
    answer: answerNames.indexOf(view),
    index,
  }));
  const cappedOf = (ofRow: readonly (ViewAnswer | undefined)[]): readonly string[] => {
    if (ofRow.every((answer) => answer === undefined || answer.capped.length === 0)) return NONE;
    return names.filter((_, i) => {
      const place = places[i];
      return place !== undefined && ofRow[place.answer]?.capped.includes(place.index) === true;
    });
  };
  return {
    names,
    assemble(ofViews, request, failed) {
      const ofRow = [...ofViews, ...onDemandOf(selection, ofViews, request, failed)];
      return {
        values: places.map(({ answer, index }) => ofRow[answer]?.values[index] ?? null),
        statuses: places.map(({ answer, index }) => ofRow[answer]?.statuses[index] ?? "NULL_VALUE"),
        capped: cappedOf(ofRow),
      };
    },
  };
}

/** The row's answers of on-demand views, in their order. */
function onDemandOf(
  selection: Selection,
  ofViews: readonly (ViewAnswer | undefined)[],
  request: RequestOf | undefined,
  failed: Set<string>,
): Iterable<ViewAnswer> {
  if (selection.onDemand.length === 0) return [];
  const given = new Map(selection.views.map(({ name }, i) => [name, ofViews[i]]));
  return computeOnDemand(selection, given, request ?? new Map(), failed).values();
}
