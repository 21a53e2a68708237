import { Agent, request } from "node:http";

export interface Called {
  readonly status: number;
  readonly text: string;
  readonly ms: number;
}

/** Calls over connections that are kept open, with less overhead than fetch. */
export interface Caller {
  post(url: string, body: string, headers?: Readonly<Record<string, string>>): Promise<Called>;
  close(): void;
}

export function createCaller(): Caller {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  return {
    post: (url, body, headers = {}) =>
      new Promise((resolve, reject) => {
        const begun = performance.now();
        const length = String(new TextEncoder().encode(body).length);
        const json = { "content-type": "application/json", "content-length": length };
        const options = { agent, method: "POST", headers: { ...json, ...headers } };
        const sent = request(url, options, (response) => {
          let text = "";
          response.setEncoding("utf8");
          response.on("data", (piece: string) => void (text += piece));
          response.on("error", reject);
          response.on("end", () => {
            const ms = performance.now() - begun;
            resolve({ status: response.statusCode ?? 0, text, ms });
          });
        });
        sent.on("error", reject);
        sent.end(body);
      }),
    close: () => agent.destroy(),
  };
}
