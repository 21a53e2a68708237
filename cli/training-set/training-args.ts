import { isTenantName } from "../../src/governance/tenant-name.ts";
import { parseArgs, UsageError } from "../args.ts";
import { formatOf } from "../tables/table.ts";
import type { MakeOptions } from "./make-training-set.ts";

export const TRAINING_USAGE = `Makes a training set: a file of entities and times, with the features of each row beside it.

  npm run training-set -- --service fraud_features --spine spine.csv --out train.parquet
  npm run training-set -- --features customer_spend,velocity:amount_vs_mean --spine … --out …

  --service NAME     the features of a service, or
  --features LIST    view, view:feature or view__feature, comma-separated
  --spine FILE       .csv, .ndjson, .jsonl or .parquet: the key columns of the features' entities,
                     "at" (when: epoch milliseconds, or ISO 8601 with offset), perhaps "known_at",
                     the columns that on-demand features need, and any others, which are kept
  --out FILE         .csv, .ndjson, .jsonl or .parquet: the spine's columns, then view__feature
  --at COLUMN        the spine's column of times, where that is not "at"
  --version-column COLUMN
                     for audits: the spine's column with the "version" of an online answer, a JSON
                     object of a text for each view, as {"customer_spend":"1.17"}. With its "as_of"
                     as time, the row has that answer's values again. Empty where there is none
  --known latest     all that is known by now. By default a row sees what had been committed by its
                     time, as it would have been served then (or by its known_at, where it has one)
  --capped           adds a column "capped": the features whose value in that row is a bound that
                     was reached, as of countDistinct(), so that the truth is more. Their number is
                     told in any case
  --tenant NAME      whose features; needed where the database has several tenants
  --rejects FILE     sets rows aside that cannot be used (.ndjson, with line number and reason);
                     without it, such a row is told and nothing is made
  --work DIR         where finished parts are kept, by default beside --out

An event at a row's time or later has no part in it. Killed, the same command goes on where it was.
It reads the running local stack, or the Neon database of DATABASE_URL.`;

export type TrainingArgs = Omit<MakeOptions, "tenant"> & { readonly tenant: string | null };

/** Pure. What a command line asks for; null for help. Throws a UsageError. */
export function readTrainingArgs(args: readonly string[]): TrainingArgs | null {
  const { values, positionals } = parseArgs(args, {
    service: { type: "string" },
    features: { type: "string" },
    spine: { type: "string" },
    out: { type: "string" },
    at: { type: "string" },
    "version-column": { type: "string" },
    known: { type: "string" },
    capped: { type: "boolean" },
    tenant: { type: "string" },
    rejects: { type: "string" },
    work: { type: "string" },
  });
  if (values.help === true) return null;
  const [extra] = positionals;
  if (extra !== undefined) throw new UsageError(`training-set takes options only, not "${extra}"`);
  const { service, features, spine, out, known = "as_served", tenant = null } = values;
  if ((service === undefined) === (features === undefined)) {
    throw new UsageError("Say which features: --service NAME, or --features LIST");
  }
  if (spine === undefined) throw new UsageError("Say which rows: --spine FILE");
  if (out === undefined) throw new UsageError("Say where to write: --out FILE");
  formatOf(spine);
  formatOf(out);
  if (known !== "as_served" && known !== "latest") {
    throw new UsageError(`--known is as_served or latest, not "${known}"`);
  }
  const versionColumn = values["version-column"] ?? null;
  if (known === "latest" && versionColumn !== null) {
    throw new UsageError(
      "Say either --known latest or --version-column: a version says itself what was known",
    );
  }
  if (tenant !== null && !isTenantName(tenant)) throw new UsageError(`"${tenant}" is no tenant`);
  const listed = features?.split(",").map((one) => one.trim());
  return {
    asked: service === undefined ? { features: listed } : { service },
    spine,
    out,
    known,
    tenant,
    atColumn: values.at ?? "at",
    versionColumn,
    capped: values.capped === true,
    rejects: values.rejects ?? null,
    workDir: values.work ?? `${out}.work`,
  };
}
