import type { Stores } from "../support/stores.ts";

export type Command = readonly [string, ...(readonly string[])];

/** What Upstash's REST answers, in plain text. */
type Answer = { readonly result: unknown } | { readonly error: string };

/** Runs commands that Freshet has no use for, in one request; null where one was refused. */
export type RunRedis = (commands: readonly Command[]) => Promise<readonly unknown[]>;

export function redisRunner({ redisUrl, redisToken }: Stores): RunRedis {
  return async (commands) => {
    const response = await fetch(`${redisUrl}/pipeline`, {
      method: "POST",
      headers: { authorization: `Bearer ${redisToken}` },
      body: JSON.stringify(commands),
    });
    const answers = await response.json<readonly Answer[]>();
    return answers.map((answer) => ("result" in answer ? answer.result : null));
  };
}

const PAGE = 1_000;

/**
 * Bytes that Redis says it holds of each key, name and bookkeeping included; null where it does not
 * say, as the embedded one.
 */
export async function memoryOf(
  run: RunRedis,
  keys: readonly string[],
): Promise<readonly number[] | null> {
  const sizes: number[] = [];
  for (let i = 0; i < keys.length; i += PAGE) {
    const page = keys.slice(i, i + PAGE);
    const answers = await run(page.map((key) => ["MEMORY", "USAGE", key, "SAMPLES", "0"]));
    for (const answer of answers) {
      if (typeof answer !== "number") return null;
      sizes.push(answer);
    }
  }
  return sizes;
}
