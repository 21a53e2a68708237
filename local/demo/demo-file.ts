import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { StartupError } from "../startup-error.ts";
import type { Payment } from "./payments.ts";

const payment = z.object({
  payment_id: z.string(),
  customer_id: z.string(),
  merchant_id: z.string(),
  amount: z.string(),
  country: z.string(),
  email: z.string(),
  paid_at: z.string(),
});

const contents = z.object({
  seed: z.string(),
  now: z.int(),
  payments: z.int().positive(),
  later: z.array(payment),
});

/** What makes the example the same at the next start. */
export interface Demo {
  readonly seed: string;
  /** The end of the example's 60 days: when it was first started, epoch ms. */
  readonly now: number;
  readonly payments: number;
  /** What the example paid after those days. */
  readonly later: readonly Payment[];
}

const pathIn = (dataDir: string): string => join(dataDir, "demo.json");

/** The example that was begun in this data directory, or null. Throws a StartupError if damaged. */
export async function readDemo(dataDir: string): Promise<Demo | null> {
  let text: string;
  try {
    text = await readFile(pathIn(dataDir), "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
  const parsed = contents.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  throw new StartupError(
    `${pathIn(dataDir)} is damaged, so that nobody knows which payments were sent: start anew with ` +
      "npm start -- --reset",
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Keeps the example in the data directory, whole or not at all. */
export async function writeDemo(dataDir: string, demo: Demo): Promise<void> {
  const unfinished = `${pathIn(dataDir)}.new`;
  await writeFile(unfinished, `${JSON.stringify(demo, null, 2)}\n`);
  await rename(unfinished, pathIn(dataDir));
}
