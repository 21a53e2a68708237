import { existsSync } from "node:fs";
import { answerPoints, type Question } from "../../src/features/history/answer-points.ts";
import type { HistoryLog } from "../../src/features/history/history-log.ts";
import type { ViewAnswer } from "../../src/features/assemble.ts";
import { LineReader } from "./partition-files.ts";
import { taskFile, type Task } from "./scan-spine.ts";
import type { TrainingSet } from "./training-set.ts";
import { writeWhole, type WorkDir } from "./work-dir.ts";

export const valuesFile = (kind: number, partition: number): string =>
  `${kind}-${partition}.values`;

/** The values of each of a kind's views, of one row, and which of them reached a bound. */
export type RowValues = readonly (readonly [
  values: ViewAnswer["values"],
  capped?: ViewAnswer["capped"],
])[];

export const isComputed = (work: WorkDir, kind: number, partition: number): boolean =>
  existsSync(work.path(valuesFile(kind, partition)));

function readTasks(path: string): readonly Task[] {
  const reader = new LineReader(path);
  const tasks: Task[] = [];
  for (let line = reader.next(); line !== null; line = reader.next()) {
    tasks.push(JSON.parse(line) as Task);
  }
  reader.close();
  return tasks;
}

/** Computes the rows of one partition of one kind of entity; answers how many there were. */
export async function computePartition(
  history: HistoryLog,
  set: TrainingSet,
  work: WorkDir,
  kind: number,
  partition: number,
): Promise<number> {
  const { tenant, selection } = set;
  const views = (set.kinds[kind]?.views ?? []).flatMap((i) => {
    const [plan, versions] = [selection.views[i], set.versions[i]];
    return plan === undefined || versions === undefined ? [] : [{ plan, versions }];
  });
  const tasks = readTasks(work.path(taskFile(kind, partition)));
  const questions = tasks.flatMap(([, at, upTo, keys, versions]) =>
    views.map(({ plan, versions: known }, i): Question => {
      const key = keys[i] ?? "";
      const version = versions?.[i];
      if (version === undefined) {
        const point = { at, upTo: upTo ?? Number.POSITIVE_INFINITY, by: "known_at" } as const;
        return { view: plan, key, point };
      }
      const [ofView, ofEntity] = version;
      const view = known.plans.get(ofView);
      if (typeof view !== "object") throw new Error(`a row of version ${ofView} was not refused`);
      return { view, key, point: { at, upTo: ofEntity, by: "version" } };
    }),
  );
  const answers = await answerPoints({ history, tenant }, questions);
  const lines = tasks.map((_, i) => {
    const ofRow = answers.slice(i * views.length, (i + 1) * views.length);
    // That an entity has its version was seen when the row was read, so that every answer is one.
    const told = ofRow.map((one): RowValues[number] => {
      if (!("values" in one)) return [[]];
      return one.capped.length === 0 ? [one.values] : [one.values, one.capped];
    });
    return JSON.stringify(told satisfies RowValues);
  });
  writeWhole(work.path(valuesFile(kind, partition)), lines.map((line) => `${line}\n`).join(""));
  return tasks.length;
}
