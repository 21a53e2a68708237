import type { ServedAnswer, ServedAnswers } from "../../../src/features/served-answers.ts";
import { checkStorable, compareBytes, type MemoryTruth } from "./memory-truth.ts";

export function createMemoryServedAnswers({ servedAnswers }: MemoryTruth): ServedAnswers {
  return {
    async add(answers) {
      for (const { features: _f, values: _v, statuses: _s, capped: _c, ...columns } of answers) {
        checkStorable(columns);
      }
      for (const answer of answers) {
        const id = `${answer.tenant}\0${answer.id}`;
        if (servedAnswers.has(id)) continue;
        // What is kept of it is JSON.
        servedAnswers.set(id, JSON.parse(JSON.stringify(answer)) as ServedAnswer);
      }
    },

    async list({ tenant, before, since, limit }) {
      return [...servedAnswers.values()]
        .filter((one) => one.tenant === tenant && one.servedAt >= since)
        .filter(({ id }) => before === null || compareBytes(id, before) < 0)
        .toSorted((a, b) => compareBytes(b.id, a.id))
        .slice(0, limit);
    },

    async removeBefore(time, limit) {
      const old = [...servedAnswers]
        .filter(([, { servedAt }]) => servedAt < time)
        .toSorted(([, a], [, b]) => a.servedAt - b.servedAt)
        .slice(0, limit);
      for (const [id] of old) servedAnswers.delete(id);
      return old.length;
    },
  };
}
