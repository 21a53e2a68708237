import { setTimeout as sleep } from "node:timers/promises";
import { readServerTiming, type RoundTrips } from "./server-timing.ts";

/** An answer, how long it took from here, and the round trips that the Worker made for it. */
export interface Timed<T> {
  readonly answer: T;
  readonly ms: number;
  readonly trips: RoundTrips;
}

/** Calls the Worker. Every call throws where it is refused. */
export interface Client {
  /** As anybody; `init` is asked for again before each attempt. */
  call<T>(path: string, init: () => RequestInit): Promise<Timed<T>>;
  /** With the API key; `body` travels as JSON. */
  ask<T>(
    method: "GET" | "POST" | "PUT" | "DELETE",
    path: string,
    body?: unknown,
  ): Promise<Timed<T>>;
  /** The API key as a header. */
  readonly authorization: Readonly<Record<string, string>>;
}

const ATTEMPTS = 12;

/** A client that repeats a call for which the Worker was busy or a store was down. */
export function createClient(url: string, key: string): Client {
  const authorization = { authorization: `Bearer ${key}` };
  const json = { ...authorization, "content-type": "application/json" };

  async function call<T>(path: string, init: () => RequestInit): Promise<Timed<T>> {
    for (let attempt = 1; ; attempt += 1) {
      const begun = performance.now();
      const { response, text } = await exchange(url + path, init());
      const ms = performance.now() - begun;
      if (response.ok) {
        const trips = readServerTiming(response.headers.get("server-timing"));
        return { answer: JSON.parse(text) as T, ms, trips };
      }
      const mayPass = response.status === 429 || response.status >= 503;
      if (!mayPass || attempt === ATTEMPTS) throw refusal(path, response.status, text);
      const seconds = Number(response.headers.get("retry-after") ?? 1);
      await sleep(Math.min(Number.isFinite(seconds) ? seconds : 1, 5) * 1_000);
    }
  }

  return {
    call,
    ask: (method, path, body) =>
      call(path, () =>
        body === undefined
          ? { method, headers: authorization }
          : { method, headers: json, body: JSON.stringify(body) },
      ),
    authorization,
  };
}

async function exchange(address: string, init: RequestInit) {
  try {
    const response = await fetch(address, init);
    return { response, text: await response.text() };
  } catch (error) {
    throw new Error(`${new URL(address).origin} does not answer`, { cause: error });
  }
}

function refusal(path: string, status: number, text: string): Error {
  const detail = /"detail":\s*"([^"]*)"/.exec(text)?.[1] ?? text.slice(0, 200);
  return new Error(`${path.split("?")[0]} answered ${status}: ${detail}`);
}
