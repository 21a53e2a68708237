import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseEnv } from "node:util";

/** Where a command looks for settings: the environment, then the files of the project. */
export interface Surroundings {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The project's directory. */
  readonly root: string;
}

/**
 * A setting from the environment, `.dev.vars` or `.freshet/secrets.json`, the first that has it,
 * and which that was; null where none has. Throws where a file is there and cannot be read.
 */
export async function findSecret(
  name: string,
  { env, root }: Surroundings,
): Promise<{ readonly value: string; readonly from: string } | null> {
  const sources: readonly (readonly [string, () => Promise<string | undefined>])[] = [
    ["the environment", async () => env[name]],
    [".dev.vars", async () => readIn(root, ".dev.vars", (text) => parseEnv(text)[name])],
    [
      ".freshet/secrets.json",
      async () => readIn(root, ".freshet/secrets.json", (text) => readJson(text)[name]),
    ],
  ];
  for (const [from, read] of sources) {
    const value = await read();
    if (value !== undefined && value !== "") return { value, from };
  }
  return null;
}

/** A file's text through `read`, or undefined where there is no such file. */
export async function readIn<T>(
  root: string,
  path: string,
  read: (text: string) => T,
): Promise<T | undefined> {
  let text: string;
  try {
    text = await readFile(join(root, path), "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
  return read(text);
}

function readJson(text: string): Record<string, string> {
  return JSON.parse(text) as Record<string, string>;
}
