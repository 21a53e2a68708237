import { dirname, join } from "node:path";
import {
  convertV4MiniflareOptions,
  Log,
  LogLevel,
  Miniflare,
  type V4WorkerOptions,
} from "miniflare";
import { buildWorker, type BuiltWorker } from "../../local/build-worker.ts";

export interface Pair {
  readonly freshetUrl: string;
  readonly bareUrl: string;
  close(): Promise<void>;
}

type Bindings = Readonly<Record<string, string>>;

const ROOT = join(import.meta.dirname, "../..");

function optionsOf(name: string, built: BuiltWorker, bindings: Bindings): V4WorkerOptions {
  return {
    ...built.options,
    name,
    modules: [...built.modules],
    modulesRoot: dirname(built.modules[0]?.path ?? ""),
    bindings: { ...(built.options.bindings as object), ...bindings },
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  };
}

/** Builds Freshet and the bare Worker and runs both in one workerd, each on a socket of its own. */
export async function runPair(freshet: Bindings, bare: Bindings): Promise<Pair> {
  const cache = join(ROOT, "node_modules/.cache/freshet-bench");
  const builtFreshet = await buildWorker();
  const builtBare = await buildWorker(join(ROOT, "bench/bare-worker"), cache);
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      host: "127.0.0.1",
      port: 0,
      cf: false,
      log: new Log(LogLevel.WARN),
      logRequests: false,
      workers: [optionsOf("freshet", builtFreshet, freshet), optionsOf("bare", builtBare, bare)],
    }),
  );
  try {
    await miniflare.ready;
    return {
      freshetUrl: (await miniflare.unsafeGetDirectURL("freshet")).origin,
      bareUrl: (await miniflare.unsafeGetDirectURL("bare")).origin,
      close: () => miniflare.dispose(),
    };
  } catch (error) {
    await miniflare.dispose();
    throw error;
  }
}
