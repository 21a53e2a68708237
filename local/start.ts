import { processTerminal, runCommand } from "../cli/args.ts";
import { parseKeySecrets } from "../src/governance/key-secrets.ts";
import { parseWebhookSecrets } from "../src/ingest/signatures/webhook-secrets.ts";
import { DEMO_TENANT, developmentKeys } from "./demo/keys.ts";
import { runDemo } from "./demo/run-demo.ts";
import { screenOf } from "./demo/screen.ts";
import { prepare } from "./prepare.ts";
import { startStack, type Stack } from "./stack.ts";
import { readStartOptions, START_USAGE, type StartOptions } from "./start-options.ts";
import { StartupError } from "./startup-error.ts";
import { stopOnSignal } from "./stop-on-signal.ts";

const DRAIN_MS = 30_000;

const print = (line: string): void => processTerminal.print(line);
const tell = (line: string): void => processTerminal.tell(line);

/** Lets the queue run empty, as it is in memory, and stops everything. */
async function stop(stack: Stack): Promise<void> {
  print("\nStopping; letting the queue run empty (Ctrl-C again to stop at once) …");
  // Whoever ends a whole group of processes ends the Worker too, with the queue that it holds.
  const waiting = await stack.drain(DRAIN_MS).catch(() => null);
  if (waiting === null) {
    tell("The Worker ended before its queue was seen to be empty; send again what is missing.");
  } else if (waiting > 0) {
    tell(`${waiting} messages still waited in the queue; send their events again.`);
  }
  await stack.close();
  print("Stopped.");
}

type Wrap = <A extends unknown[], R>(act: (...args: A) => R) => (...args: A) => R;

/** Runs the example; `wrap` goes around everything that it is given to call. */
async function showDemo(stack: Stack, wrap: Wrap): Promise<void> {
  const signing = parseKeySecrets(stack.secrets["KEY_SIGNING_SECRET"] ?? "");
  const webhooks = parseWebhookSecrets(stack.secrets["PAYMENTS_WEBHOOK_SECRET"] ?? "");
  if (!signing.ok || !webhooks.ok) {
    throw new StartupError(
      `${stack.dataDir}/secrets.json holds a secret that is damaged: remove it.`,
    );
  }
  const { print: show, draw } = screenOf(process.stdout);
  await runDemo({
    print: wrap(show),
    ...(draw !== undefined && { draw: wrap(draw) }),
    url: stack.url,
    keys: await developmentKeys(signing.value[0] ?? "", Number(new URL(stack.url).port)),
    webhookSecret: webhooks.value.find(({ tenant }) => tenant === DEMO_TENANT)?.secret ?? "",
    dataDir: stack.dataDir,
    now: wrap(() => Date.now()),
  });
}

/** Tells of what the Worker complains about; the rest of what it writes is in worker.log. */
function onLog(level: string, message: string): void {
  if (level === "error") tell(message);
}

async function serve(options: StartOptions): Promise<void> {
  const starting = startStack({ ...options, onProgress: print, onLog });
  const { stopping } = stopOnSignal(async () => stop(await starting));
  const stack = await starting;
  /** Ends the example at the next thing that it does; it would go on sending otherwise. */
  function unlessStopping<A extends unknown[], R>(act: (...args: A) => R): (...args: A) => R {
    return (...args) => {
      if (stopping()) throw new Error("It is time to stop.");
      return act(...args);
    };
  }
  try {
    await prepare(stack, DEMO_TENANT, print);
    if (options.demo) await showDemo(stack, unlessStopping);
    print(`\nServing on ${stack.url}; Ctrl-C stops.`);
  } catch (error) {
    // While it stops, calls fail that are under way.
    if (stopping()) return;
    await stack.close();
    throw error;
  }
}

async function run(): Promise<number> {
  try {
    const options = readStartOptions(process.argv.slice(2), process.env);
    if (options.help) print(START_USAGE);
    else await serve(options);
    return 0;
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    tell(error.message);
    return 1;
  }
}

process.exitCode = await runCommand(processTerminal, "npm start -- --help", run);
