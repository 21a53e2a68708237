import { once } from "node:events";
import { createServer } from "node:net";
import { StartupError } from "./startup-error.ts";

/**
 * Makes sure that the stack can listen on `port`; 0 is always fine.
 *
 * @throws StartupError that suggests another one.
 */
export async function checkPortIsFree(port: number): Promise<void> {
  const server = createServer();
  try {
    server.listen(port, "127.0.0.1");
    await once(server, "listening");
  } catch (cause) {
    const { code } = cause as { code?: string };
    const why = code === "EADDRINUSE" ? "is in use by another program" : "cannot be listened on";
    const other = port === 8787 ? 8788 : 8787;
    throw new StartupError(`Port ${port} ${why}. Choose another: PORT=${other} npm start`, {
      cause,
    });
  } finally {
    server.close();
  }
}
