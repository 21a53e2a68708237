import { existsSync } from "node:fs";
import { join } from "node:path";
import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

declare module "vitest" {
  export interface ProvidedContext {
    /** The stores' addresses and the secrets, for the Worker under test. */
    workerBindings: Record<string, string>;
  }
}

// Starts the stores' façades and provides `workerBindings`.
const globalSetup = ["test/support/global-setup.ts"].filter((path) => existsSync(path));

/** As wrangler.toml's [alias] has it. */
const ZOD = join(import.meta.dirname, "src/platform/zod/zod.ts");

/** For what hangs: a busy machine may take ten times as long as a quiet one. */
const timeouts = { testTimeout: 60_000, hookTimeout: 60_000 };
const properties = ["test/support/properties.ts"];

// .ci/run adds up the reports of several runs, so that each writes a file of its own.
const reports = process.env["TEST_REPORTS"];

// A batch in a test waits this long for company, in seconds.
const maxBatchTimeout = 0.05;
const maxBatchSize = 100;
const maxRetries = 8;

const worker = cloudflareTest(({ inject }) => {
  const bindings = globalSetup.length > 0 ? inject("workerBindings") : {};
  // Wrangler warns of secrets that it does not find in the environment.
  Object.assign(process.env, bindings);
  const queueConsumers = {
    "freshet-ingest": {
      maxBatchSize,
      maxBatchTimeout,
      maxRetries,
      deadLetterQueue: "freshet-dead-letters",
    },
    "freshet-dead-letters": { maxBatchSize, maxBatchTimeout, maxRetries },
  };
  return {
    wrangler: { configPath: "./wrangler.toml" },
    miniflare: { bindings, queueConsumers },
  };
});

export default defineConfig({
  test: {
    passWithNoTests: true,
    ...(reports !== undefined && {
      reporters: ["default", ["json", { outputFile: `${reports}/${process.pid}.json` }]],
    }),
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts"],
          isolate: false,
          setupFiles: properties,
          ...timeouts,
        },
      },
      {
        test: {
          name: "contract",
          include: ["test/contract/**/*.test.ts"],
          setupFiles: properties,
          ...timeouts,
        },
      },
      {
        plugins: [worker],
        resolve: { alias: [{ find: /^zod$/, replacement: ZOD }] },
        test: {
          name: "worker",
          include: ["test/worker/**/*.test.ts"],
          globalSetup,
          ...timeouts,
        },
      },
      {
        test: {
          name: "system",
          include: ["test/system/**/*.test.ts"],
          // Each file runs the built bundle with stores of its own: one at a time is enough.
          fileParallelism: false,
          testTimeout: 240_000,
          hookTimeout: 240_000,
          expect: { poll: { timeout: 30_000 } },
        },
      },
    ],
  },
});
