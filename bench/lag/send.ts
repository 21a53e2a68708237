import { setTimeout as sleep } from "node:timers/promises";
import { drawPayments } from "../support/payments.ts";
import type { Caller } from "../support/http-call.ts";
import type { Probes } from "./probes.ts";

export interface Load {
  /** Part of every id, which must be new. */
  readonly name: string;
  readonly perSecond: number;
  readonly perRequest: number;
  readonly seconds: number;
}

export interface Sent {
  readonly events: number;
  readonly ms: number;
  /** Of each request, until its 202. */
  readonly acceptMs: readonly number[];
}

/**
 * Sends payments at a steady rate whatever becomes of them, `perRequest` at a time: the first of
 * each request is of a customer whom nobody knows, and is watched.
 */
export async function sendSteadily(
  caller: Caller,
  url: string,
  headers: Readonly<Record<string, string>>,
  probes: Probes,
  { name, perSecond, perRequest, seconds }: Load,
): Promise<Sent> {
  const payments = drawPayments(name, "zipf");
  const requests = (perSecond / perRequest) * seconds;
  const acceptMs: number[] = [];
  const sending: Promise<void>[] = [];
  const failures: Error[] = [];

  async function sendOne(i: number): Promise<void> {
    const events = Array.from({ length: perRequest }, () => payments.next(Date.now()));
    const [first, ...rest] = events;
    const probe = { ...first, customer_id: `${name}_${i}` };
    const sentAt = performance.now();
    const body = JSON.stringify([probe, ...rest]);
    const { status, text, ms } = await caller.post(
      `${url}/v1/sources/payments/events`,
      body,
      headers,
    );
    if (status !== 202) throw new Error(`sending payments answered ${status}: ${text}`);
    acceptMs.push(ms);
    probes.watch(probe.customer_id, sentAt);
  }

  const begun = performance.now();
  for (let i = 0; i < requests; i += 1) {
    const due = begun + (i * perRequest * 1_000) / perSecond;
    const early = due - performance.now();
    if (early > 1) await sleep(early);
    const failed = (cause: unknown): void =>
      void failures.push(new Error("payments could not be sent", { cause }));
    sending.push(sendOne(i).catch(failed));
  }
  await Promise.all(sending);
  const [failure] = failures;
  if (failure !== undefined) throw failure;
  return { events: requests * perRequest, ms: performance.now() - begun, acceptMs };
}
