// Fails when the bundle in dist/worker is larger, gzipped, than a cold start should have to load.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const BUDGET_KIB = 380;

const folder = join(import.meta.dirname, "../dist/worker");
const modules = readdirSync(folder).filter((name) => /\.(js|wasm|bin|txt|html)$/.test(name));
const bytes = modules.reduce(
  (sum, name) => sum + gzipSync(readFileSync(join(folder, name))).byteLength,
  0,
);
const kib = Math.ceil(bytes / 1024);

console.log(`bundle: ${kib} KiB gzipped, of ${BUDGET_KIB} KiB`);
if (kib > BUDGET_KIB) {
  console.error("The bundle is over its budget: see what grew before raising the number.");
  process.exitCode = 1;
}
