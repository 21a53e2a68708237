import type { HelpApi, HelpDocument } from "./help-api.ts";
import { startProgress } from "./progress.ts";
import type { Screen } from "./screen.ts";

/** The embedded Postgres takes its time for a new vector. */
const BATCH = 10;

export interface HelpCentreSent {
  readonly chunks: number;
  /** Until all of them could be found. */
  readonly ms: number;
}

/** Sends all documents, which costs little for those that are there as they are. */
export async function sendHelpCentre(
  api: HelpApi,
  screen: Screen,
  documents: readonly HelpDocument[],
): Promise<HelpCentreSent> {
  const begun = performance.now();
  const progress = startProgress(screen, documents.length, "documents can be found");
  let chunks = 0;
  for (let i = 0; i < documents.length; i += BATCH) {
    const batch = documents.slice(i, i + BATCH);
    chunks += await api.putAll(batch);
    progress.at(i + batch.length);
  }
  progress.end();
  return { chunks, ms: performance.now() - begun };
}
