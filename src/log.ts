import { AppError } from "./errors.ts";

export type Facts = Readonly<Record<string, unknown>>;

/** Structured logs: one line of JSON each. */
export interface Logger {
  info(message: string, facts?: Facts): void;
  /** Something that mends itself, or that somebody should look at. */
  warn(message: string, facts?: Facts): void;
  /** Something that nobody foresaw. */
  error(message: string, facts?: Facts): void;
}

export type Level = keyof Logger;

/** A logger that gives lines to `write`; errors among the facts are described, not dumped. */
export function createLogger(write: (level: Level, line: string) => void): Logger {
  const log =
    (level: Level) =>
    (message: string, facts: Facts = {}) => {
      const described = Object.entries(facts).map(([name, fact]): [string, unknown] => [
        name,
        fact instanceof Error ? describeError(fact) : fact,
      ]);
      write(level, JSON.stringify({ level, message, ...Object.fromEntries(described) }));
    };
  return { info: log("info"), warn: log("warn"), error: log("error") };
}

const MAX_MESSAGE = 300;
const MAX_CAUSES = 4;

/**
 * Pure. What may be logged of an error: names, messages, codes, where it was thrown, and the same of
 * its causes; none of its other properties, since a driver's error carries statements and values. A
 * SyntaxError's message quotes what could not be parsed and is left out.
 */
export function describeError(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return typeof error;
  const code = error instanceof AppError ? { code: error.code } : {};
  const message =
    error instanceof SyntaxError ? {} : { message: error.message.slice(0, MAX_MESSAGE) };
  const frames = error.stack?.split("\n").filter((line) => /^\s+at /.test(line)) ?? [];
  const cause =
    error.cause === undefined || depth >= MAX_CAUSES
      ? {}
      : { cause: describeError(error.cause, depth + 1) };
  const at = error instanceof AppError ? {} : { at: frames.slice(0, 8).map((line) => line.trim()) };
  return { name: error.name, ...code, ...message, ...at, ...cause };
}
