// Trains the example's fraud model on the example's own history: definitions/models/fraud.json.
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { replayFrauds } from "./fraud-history.ts";
import { trainFraudModel } from "./fraud-model.ts";
import { FRAUD_LOAD, TRAINED_ON } from "./fraud-load.ts";
import { generatePayments } from "./payments.ts";
import { grouped, table } from "./words.ts";

const root = join(import.meta.dirname, "../..");
const path = join(root, "definitions/models/fraud.json");

const file = trainFraudModel(await replayFrauds(generatePayments(FRAUD_LOAD)), TRAINED_ON);
mkdirSync(dirname(path), { recursive: true });
writeFileSync(path, `${JSON.stringify(file, null, 2)}\n`);
execFileSync(join(root, "node_modules/.bin/oxfmt"), [path], { cwd: root });

const share = (value: number): string => `${(100 * value).toFixed(1)} %`;
const rows = Object.entries(file.metrics).map(([part, metrics]) => [
  part,
  grouped(metrics.payments),
  `${metrics.frauds}`,
  metrics.auc.toFixed(4),
  share(metrics.precision),
  share(metrics.recall),
]);
const lines = [
  `definitions/models/fraud.json written: ${file.inputs.length} inputs, threshold ${file.threshold}`,
  ...table([["", "payments", "frauds", "AUC", "precision", "recall"], ...rows]),
];
for (const line of lines) console.log(line);
