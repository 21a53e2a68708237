// Run as a process of its own, so that a test can kill it: makes a training set of the views of
// write-path.ts as `npm run training-set` does.
import { makeTrainingSet } from "../../cli/training-set/make-training-set.ts";
import { createDefinitionStore } from "../../src/platform/neon/definition-store.ts";
import { createHistoryLog } from "../../src/platform/neon/history-log.ts";
import { createSqlClient } from "../../src/platform/neon/sql-client.ts";
import { registry, vault } from "./write-path.ts";

const [connectionString = "", fetchEndpoint = "", tenant = "", spine = "", out = "", now = ""] =
  process.argv.slice(2);
const sql = createSqlClient({ connectionString, fetchEndpoint, timeoutMs: 15_000 });
const tell = (line: string): void => void process.stdout.write(`${line}\n`);
await makeTrainingSet(
  {
    registry,
    vault,
    history: createHistoryLog(sql),
    definitions: createDefinitionStore(sql),
    where: "the test",
    terminal: { print: tell, tell },
    screen: { tell },
    now: () => Number(now),
  },
  {
    tenant,
    asked: { features: ["by_device"] },
    known: "latest",
    atColumn: "at",
    versionColumn: null,
    rejects: null,
    workDir: `${out}.work`,
    spine,
    out,
  },
);
