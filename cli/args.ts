import { parseArgs as parse, type ParseArgsOptionsConfig } from "node:util";
import { AppError } from "../src/errors.ts";

/** A command line that cannot be carried out; the message says what to write instead. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const HELP = { help: { type: "boolean", short: "h" } } as const;

/**
 * The options and positionals of a command line, by node:util's parseArgs. Every command has
 * `--help`. Throws a UsageError for an option that is unknown or lacks its value.
 */
export function parseArgs<const T extends ParseArgsOptionsConfig>(
  args: readonly string[],
  options: T,
) {
  try {
    return parse({ args: [...args], options: { ...options, ...HELP }, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

/** Where a command writes: results to `print`, everything else to `tell`. */
export interface Terminal {
  print(line: string): void;
  tell(line: string): void;
}

/** Standard output for results, standard error for the rest, so that a result can be piped. */
export const processTerminal: Terminal = {
  print: (line) => process.stdout.write(`${line}\n`),
  tell: (line) => process.stderr.write(`${line}\n`),
};

/** What the operating system refused, which its message says: no defect of the program. */
const isSystemError = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && "syscall" in error && "code" in error;

/** A reader that has seen enough, as `head`, ends nobody's work: what is printed then is lost. */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
}

/**
 * Runs a command; answers its exit code: 2 for a UsageError, which names the help, and 1 for an
 * AppError and for what the operating system refuses. Anything else is a defect and is thrown.
 */
export async function runCommand(
  terminal: Terminal,
  helpCommand: string,
  command: () => Promise<number>,
): Promise<number> {
  if (terminal === processTerminal) outliveReaders();
  try {
    return await command();
  } catch (error) {
    if (error instanceof AppError || isSystemError(error)) {
      terminal.tell(error.message);
      return 1;
    }
    if (!(error instanceof UsageError)) throw error;
    terminal.tell(error.message);
    terminal.tell(`See: ${helpCommand}`);
    return 2;
  }
}
