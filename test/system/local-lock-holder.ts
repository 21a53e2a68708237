// A program for local-lock.test.ts: holds the lock on the directory that it is given.
import { takeLock } from "../../local/lock.ts";

await takeLock(process.argv[2] ?? "");
process.stdout.write("held\n");
setInterval(() => undefined, 1_000);
