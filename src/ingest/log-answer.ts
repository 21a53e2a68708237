import type { AnsweredRead } from "../features/read-online.ts";
import { pickPositions, sampleAnswer } from "../features/sample-answer.ts";
import type { ServedAnswer } from "../features/served-answers.ts";
import { newId } from "../ids.ts";
import type { IngestMessage } from "./envelope.ts";
import type { IngestQueue } from "./ingest-queue.ts";

export interface LogAnswerContext {
  readonly queue: Pick<IngestQueue, "send">;
  readonly now: () => number;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly note: (message: string, facts: Readonly<Record<string, unknown>>) => void;
}

/** A read of a thousand entities logs so many of them. */
export const MAX_ENTITIES = 20;
/** Characters of JSON, at most three bytes each: well under the queue's 128 kB. */
const MAX_CHARS = 40_000;

/**
 * Sends a sample of an answer's entities on its way to the skew audit. Never fails: what the queue
 * does not take, or is larger than it takes, is noted and dropped.
 */
export async function logAnswer(ctx: LogAnswerContext, read: AnsweredRead): Promise<void> {
  const now = ctx.now();
  const positions = pickPositions(read.keys.length, MAX_ENTITIES, ctx.random);
  const sample = sampleAnswer(read, positions, newId("ans", now), now);
  const { messages, dropped } = packAnswers(sample);
  if (dropped > 0) ctx.note("answers are too large to be sampled", { answers: dropped });
  if (messages.length === 0) return;
  try {
    await ctx.queue.send(messages);
  } catch (error) {
    ctx.note("sampled answers are not logged", { answers: sample.length, error });
  }
}

/** Pure. Answers in as few messages as fit, and how many fit in none. */
export function packAnswers(sample: readonly ServedAnswer[]): {
  readonly messages: readonly IngestMessage[];
  readonly dropped: number;
} {
  const groups: ServedAnswer[][] = [];
  let [room, dropped] = [0, 0];
  for (const answer of sample) {
    const chars = JSON.stringify(answer).length + 1;
    if (chars > MAX_CHARS) {
      dropped += 1;
      continue;
    }
    if (chars > room) {
      groups.push([]);
      room = MAX_CHARS;
    }
    groups.at(-1)?.push(answer);
    room -= chars;
  }
  return { messages: groups.map((answers) => ({ v: 1, kind: "answers", answers })), dropped };
}
