import { AUDIT_USAGE, readAuditArgs, runAuditSkew } from "./run-audit-skew.ts";
import { processTerminal, runCommand } from "./args.ts";
import { connectDatabase } from "./support/database.ts";

const surroundings = { env: process.env, root: `${import.meta.dirname}/..` };

async function run(args: readonly string[]): Promise<number> {
  const options = readAuditArgs(args, Date.now());
  if (options === null) {
    processTerminal.print(AUDIT_USAGE);
    return 0;
  }
  const { stderr } = process;
  const draw = stderr.isTTY ? (line: string) => void stderr.write(`\r\u001B[K${line}`) : undefined;
  return runAuditSkew({
    ...options,
    terminal: processTerminal,
    screen: { tell: (line) => processTerminal.tell(line), draw },
    connect: () => connectDatabase(surroundings),
  });
}

process.exitCode = await runCommand(processTerminal, "npm run audit-skew -- --help", () =>
  run(process.argv.slice(2)),
);
