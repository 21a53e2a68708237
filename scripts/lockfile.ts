// Keeps package-lock.json installable by everyone: `npm run lock` writes, `--check` only reports.
//
// A registry mirror may carry one platform's binaries only; npm then leaves the other platforms out
// of the lock file, and `npm ci` refuses it everywhere ("Missing: … from lock file"). And a lock
// file that names a mirror's host works for that mirror's users alone.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { completePlatforms, dropHosts, type Lockfile } from "./lockfile-repair.ts";

const path = join(import.meta.dirname, "../package-lock.json");
const before = readFileSync(path, "utf8");
const repaired = dropHosts(completePlatforms(JSON.parse(before) as Lockfile));
const after = `${JSON.stringify(repaired, null, 2)}\n`;

if (before !== after && process.argv.includes("--check")) {
  console.error("package-lock.json names a host or lacks a platform's packages: npm run lock");
  process.exitCode = 1;
} else if (before !== after) {
  writeFileSync(path, after);
  console.log("package-lock.json repaired");
}
