import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { promisify } from "node:util";
import type { V4ModuleDefinition, V4WorkerOptions } from "miniflare";
import { StartupError } from "./startup-error.ts";

/** The Worker as wrangler would deploy it, and what wrangler.toml says of it. */
export interface BuiltWorker {
  readonly modules: readonly V4ModuleDefinition[];
  /** Bindings, queues, buckets and vars, without the code. */
  readonly options: Partial<V4WorkerOptions>;
  readonly crons: readonly string[];
  /** The names of the secrets that it requires. */
  readonly secrets: readonly string[];
}

type Described = Pick<BuiltWorker, "options" | "crons" | "secrets">;

const ROOT = join(import.meta.dirname, "..");
const MODULE_TYPES: Readonly<Record<string, V4ModuleDefinition["type"]>> = {
  ".js": "ESModule",
  ".mjs": "ESModule",
  ".wasm": "CompiledWasm",
  ".bin": "Data",
  ".txt": "Text",
  ".html": "Text",
  ".sql": "Text",
};

const run = promisify(execFile);

/** Every file that the bundle or its options can depend on, in a fixed order. */
function inputsOf(root: string): readonly string[] {
  const inTree = (directory: string): readonly string[] =>
    existsSync(join(root, directory))
      ? readdirSync(join(root, directory), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
      : [];
  const files = ["wrangler.toml", "package-lock.json", "tsconfig.base.json"].map((name) =>
    join(root, name),
  );
  return [
    ...files.filter((path) => existsSync(path)),
    ...inTree("src"),
    ...inTree("definitions"),
  ].toSorted();
}

function hashOf(paths: readonly string[]): string {
  const hash = createHash("sha256");
  for (const path of paths) {
    const bytes = readFileSync(path);
    hash.update(`${path}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex").slice(0, 24);
}

/** The words of a tool that failed, for the person who has to correct the code. */
function complaintOf(error: unknown): string {
  const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
  const said = `${stderr}\n${stdout}`.trim();
  return said === "" ? String(error) : said;
}

/** Runs a program of Node's without our environment: wrangler takes DATABASE_URL for the Worker's. */
function runNode(root: string, args: readonly string[], extra: Readonly<Record<string, string>>) {
  const { PATH, HOME, TMPDIR } = process.env;
  const env = { PATH, HOME, TMPDIR, CI: "1", NO_COLOR: "1", WRANGLER_SEND_METRICS: "false" };
  return run(process.execPath, args, {
    cwd: root,
    encoding: "utf8",
    env: { ...env, ...extra } as unknown as NodeJS.ProcessEnv,
  });
}

async function wrangle(root: string, outDir: string): Promise<void> {
  const config = join(root, "wrangler.toml");
  const wrangler = join(ROOT, "node_modules/wrangler/bin/wrangler.js");
  const describe = join(import.meta.dirname, "worker-options.ts");
  const deploy = ["deploy", "--dry-run", "--env=", "--config", config, "--outdir", outDir];
  try {
    const [, { stdout }] = await Promise.all([
      runNode(root, [wrangler, ...deploy], {}),
      runNode(root, [describe, config], { WRANGLER_LOG: "none" }),
    ]);
    await writeFile(join(outDir, "options.json"), stdout.trim().split("\n").at(-1) ?? "");
  } catch (cause) {
    throw new StartupError(`The Worker does not build:\n${complaintOf(cause)}`, { cause });
  }
}

async function read(directory: string, main: string): Promise<BuiltWorker> {
  const described = JSON.parse(
    await readFile(join(directory, "options.json"), "utf8"),
  ) as Described;
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => MODULE_TYPES[extname(name)] !== undefined)
    .toSorted((a, b) => Number(b === main) - Number(a === main));
  const modules = await Promise.all(
    names.map(async (name): Promise<V4ModuleDefinition> => {
      const type = MODULE_TYPES[extname(name)] ?? "Data";
      const contents = await readFile(join(directory, name), type === "ESModule" ? "utf8" : null);
      return { type, path: join(directory, name), contents };
    }),
  );
  return { modules, ...described };
}

/**
 * Builds the Worker of the project at `root` with wrangler, as a deployment would, or takes the
 * last build when nothing has changed since.
 *
 * @throws StartupError with wrangler's words when it does not build.
 */
export async function buildWorker(
  root: string = ROOT,
  cacheDir: string = join(ROOT, "node_modules/.cache/freshet"),
): Promise<BuiltWorker> {
  const built = join(cacheDir, `worker-${hashOf(inputsOf(root))}`);
  if (!existsSync(built)) {
    await mkdir(cacheDir, { recursive: true });
    const making = await mkdtemp(join(cacheDir, "making-"));
    try {
      await wrangle(root, making);
      // Whoever comes second in a race finds the same thing in place.
      await rename(making, built).catch(() => undefined);
      await forget(cacheDir).catch(() => undefined);
    } finally {
      await rm(making, { recursive: true, force: true });
    }
  }
  return read(built, "worker.js");
}

const KEPT_BUILDS = 3;
const ABANDONED_MS = 3_600_000;

/** Drops the builds that were made longest ago, and what a killed process left half made. */
async function forget(cacheDir: string): Promise<void> {
  const made = readdirSync(cacheDir).map((name) => {
    const path = join(cacheDir, name);
    return { name, path, ageMs: Date.now() - statSync(path).mtimeMs };
  });
  const builds = made.filter(({ name }) => name.startsWith("worker-"));
  const old = builds.toSorted((a, b) => a.ageMs - b.ageMs).slice(KEPT_BUILDS);
  const abandoned = made.filter(
    ({ name, ageMs }) => name.startsWith("making-") && ageMs > ABANDONED_MS,
  );
  for (const { path } of [...old, ...abandoned]) await rm(path, { recursive: true, force: true });
}
