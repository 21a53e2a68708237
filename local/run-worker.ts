import { chmodSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import {
  convertV4MiniflareOptions,
  Log,
  LogLevel,
  Miniflare,
  type V4WorkerOptions,
} from "miniflare";
import type { BuiltWorker } from "./build-worker.ts";
import { startOrphanGuard, type OrphanGuard } from "./orphan-guard.ts";

export interface RunWorkerOptions {
  readonly built: BuiltWorker;
  /** 0: any free port. */
  readonly port: number;
  /** Vars and secrets, over those of wrangler.toml. */
  readonly bindings: Readonly<Record<string, string>>;
  /** Where buckets are kept; in memory when absent. */
  readonly stateDir?: string;
  /** Hears what the Worker and the runtime write; levels are console's. */
  readonly onLog: (level: string, message: string) => void;
}

export interface RunningWorker {
  readonly url: string;
  readonly crons: readonly string[];
  /** How many messages wait in its queues; those being handled or delayed do not count. */
  backlog(): Promise<number>;
  /** Runs the scheduled handler as `cron` would at `time` (epoch ms). */
  scheduled(cron: string, time: number): Promise<void>;
  /** Stops the runtime at once; what waits in queues is gone. */
  close(): Promise<void>;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Undoes what `make` does to the handling of signals: Miniflare would exit before we drain. */
function keepingSignals<T>(make: () => T): T {
  const before = SIGNALS.map((signal) => process.listeners(signal));
  const made = make();
  for (const [i, signal] of SIGNALS.entries()) {
    for (const listener of process.listeners(signal)) {
      if (!before[i]?.includes(listener)) process.removeListener(signal, listener);
    }
  }
  return made;
}

/**
 * Has Miniflare start workerd so that Ctrl-C, which a terminal sends to every process, does not
 * end it before the queue is drained, and so that the guard knows it.
 */
function wrapRuntime({ directory, pidFile }: OrphanGuard): Record<string, string> {
  if (process.platform === "win32") return {};
  const require = createRequire(createRequire(import.meta.url).resolve("miniflare"));
  const { default: workerd } = require("workerd") as { default: string };
  const wrapper = join(directory, "workerd.sh");
  writeFileSync(
    wrapper,
    `#!/bin/sh\ntrap '' INT HUP\necho $$ >>"$FRESHET_PIDS"\nexec "$FRESHET_WORKERD" "$@"\n`,
  );
  chmodSync(wrapper, 0o700);
  process.env["MINIFLARE_WORKERD_PATH"] = wrapper;
  return { FRESHET_PIDS: pidFile, FRESHET_WORKERD: workerd };
}

/** Runs a built Worker in workerd, with Miniflare's queues and buckets and no network of its own. */
export async function runWorker(options: RunWorkerOptions): Promise<RunningWorker> {
  const { built, port, bindings, stateDir, onLog } = options;
  const guard = startOrphanGuard();
  const log = new (class extends Log {
    override log(message: string): void {
      onLog("warn", message);
    }
  })(LogLevel.WARN);
  const worker = {
    ...built.options,
    modules: [...built.modules],
    modulesRoot: dirname(built.modules[0]?.path ?? ""),
    bindings: { ...(built.options.bindings as object), ...bindings },
    // The Worker's own socket: Miniflare's front door costs each request a millisecond.
    unsafeDirectSockets: [{ host: "127.0.0.1", port }],
  } as V4WorkerOptions;
  const miniflare = keepingSignals(
    () =>
      new Miniflare({
        ...convertV4MiniflareOptions({
          ...worker,
          host: "127.0.0.1",
          port: 0,
          cf: false,
          log,
          logRequests: false,
          handleStructuredLogs: ({ level, message }) => onLog(level, message),
          unsafeRuntimeEnv: wrapRuntime(guard),
          ...(stateDir !== undefined && { resourcePersistencePath: stateDir }),
        }),
      }),
  );

  const close = async (): Promise<void> => {
    await miniflare.dispose();
    guard.release();
  };
  try {
    await miniflare.ready;
    const queues = await Promise.all(
      Object.keys(built.options.queueProducers ?? {}).map((name) =>
        miniflare.getQueueProducer(name),
      ),
    );
    const fetcher = await miniflare.getWorker();
    return {
      url: (await miniflare.unsafeGetDirectURL()).origin,
      crons: built.crons,
      async backlog() {
        const metrics = await Promise.all(queues.map((queue) => queue.metrics()));
        return metrics.reduce((sum, { backlogCount }) => sum + backlogCount, 0);
      },
      async scheduled(cron, time) {
        await fetcher.scheduled({ cron, scheduledTime: new Date(time) });
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
