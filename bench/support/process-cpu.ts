import { readdirSync, readFileSync } from "node:fs";

/** Linux counts in hundredths of a second, whatever its kernel's tick. */
const TICK_US = 10_000;

interface Stat {
  readonly name: string;
  readonly parent: number;
  readonly cpuUs: number;
}

function readStat(pid: string): Stat | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name, in parentheses, may hold anything.
    const end = text.lastIndexOf(")");
    const fields = text.slice(end + 2).split(" ");
    return {
      name: text.slice(text.indexOf("(") + 1, end),
      parent: Number(fields[1]),
      cpuUs: (Number(fields[11]) + Number(fields[12])) * TICK_US,
    };
  } catch {
    return null;
  }
}

/** CPU that a process has used so far, in microseconds; null where it cannot be seen from here. */
export function processCpuUs(pid: string, name: string): number | null {
  const stat = readStat(pid);
  return stat?.name === name ? stat.cpuUs : null;
}

/** The process id of our child of that name; null where it cannot be seen. */
export function findChild(name: string): string | null {
  try {
    const isChild = (pid: string): boolean => {
      const stat = readStat(pid);
      return stat?.parent === process.pid && stat.name === name;
    };
    return readdirSync("/proc").find((pid) => /^\d+$/.test(pid) && isChild(pid)) ?? null;
  } catch {
    return null;
  }
}
