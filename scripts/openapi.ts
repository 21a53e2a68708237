// Writes openapi.json from the routes; `--check` only says whether it is current.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createApp } from "../src/app.ts";
import { createLogger } from "../src/log.ts";

const app = createApp({
  contextFor() {
    throw new Error("the description needs no context");
  },
  logger: createLogger(() => undefined),
});
const path = join(import.meta.dirname, "../openapi.json");
const text = await (await app.request("/openapi.json")).text();

if (!process.argv.includes("--check")) {
  writeFileSync(path, text);
  console.log(
    `openapi.json written: ${Object.keys((JSON.parse(text) as { paths: object }).paths).length} paths`,
  );
} else if (readFileSync(path, "utf8") !== text) {
  console.error("openapi.json is not what the routes say: npm run openapi");
  process.exitCode = 1;
}
