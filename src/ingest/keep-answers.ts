import { RejectedByStore } from "../features/event-log.ts";
import type { ServedAnswer, ServedAnswers } from "../features/served-answers.ts";

export interface KeepAnswersContext {
  readonly servedAnswers: Pick<ServedAnswers, "add">;
  readonly note: (message: string, facts: Readonly<Record<string, unknown>>) => void;
}

/** Keeps sampled answers. What no store can keep is noted and dropped: it is a sample. */
export async function keepAnswers(
  { servedAnswers, note }: KeepAnswersContext,
  sample: readonly ServedAnswer[],
): Promise<void> {
  try {
    await servedAnswers.add(sample);
  } catch (error) {
    if (!(error instanceof RejectedByStore)) throw error;
    note("sampled answers are not kept", { answers: sample.length, error });
  }
}
