import { rebuildTenant } from "../../cli/rebuild-tenant.ts";
import { AppError } from "../../src/errors.ts";
import { applyDefinitions, type AppliedDefinitions } from "../../src/features/apply-definitions.ts";
import type { LogEvent } from "../../src/features/event-log.ts";
import type { Registry } from "../../src/features/registry.ts";
import { consume } from "../../src/ingest/consume.ts";
import { foldingOf } from "../../src/ingest/fold-pending.ts";
import {
  knowOwn,
  openViewsInUse,
  type KnownViews,
  type ViewsInUse,
} from "../../src/ingest/views-in-use.ts";
import type { IngestQueue } from "../../src/ingest/ingest-queue.ts";
import { sweep } from "../../src/ingest/sweep.ts";
import { MINUTE_MS, SECOND_MS } from "../../src/time.ts";
import { AtWork } from "./at-work.ts";
import type { MemoryIngestQueue } from "./fakes/memory-ingest-queue.ts";
import type { MemoryOnlineStore } from "./fakes/memory-online-store.ts";
import { applyLater, lifeRegistry, type Shape } from "./life-definitions.ts";
import { factEvent, type Fact } from "./life-facts.ts";
import { TO_THE_END, type LifeStep } from "./life-steps.ts";
import { newTenant } from "./log-events.ts";
import { NOW, openPorts } from "./play.ts";
import type { Truth } from "./stores.ts";
import { consumerOf, deliver, eventsMessage, type Ports } from "./write-path.ts";

/** One tenant, the deployments that come and go over it, and whoever is at work for them. */
export class Life {
  readonly tenant = newTenant();
  readonly truth: Truth;
  readonly ports: Ports & { readonly online: MemoryOnlineStore };
  readonly shapes: readonly Shape[];
  readonly facts: readonly Fact[];
  now = NOW;
  /** What the latest apply that came to its end came to. */
  applied: AppliedDefinitions | null = null;
  /**
   * State ids of the views that answer at any time: of what was applied, until an apply begins that
   * does not leave them in use.
   */
  promised: ReadonlySet<string> = new Set();
  /** Whether the online store was filled once more. */
  wasFilled = false;
  readonly #knownBy = new Map<number, KnownViews>();
  readonly #atWork = new Set<AtWork>();
  #apply: AtWork | null = null;
  #events: readonly LogEvent[] = [];
  #sent = 0;

  constructor(truth: Truth, shapes: readonly Shape[], facts: readonly Fact[]) {
    this.truth = truth;
    this.ports = openPorts(truth, this.tenant);
    this.shapes = shapes;
    this.facts = facts;
  }

  registry(by: number): Registry {
    const shape = this.shapes[by];
    if (shape === undefined) throw new Error("there is no such deployment");
    return lifeRegistry(shape);
  }

  /** The first deployment is applied, and its online store filled. */
  async begin(): Promise<void> {
    const events = this.facts.map((fact) => factEvent(fact, this.tenant, NOW));
    this.#events = await Promise.all(events);
    await this.truth.keyStore.registerTenant(this.tenant, NOW);
    await this.apply(0);
    await this.settle(0);
  }

  async step(step: LifeStep): Promise<void> {
    this.now += SECOND_MS;
    this.wasFilled ||= step.do === "flush" || step.do === "rebuild";
    if (step.do === "wait") this.now += step.ms;
    else if (step.do === "flush") this.ports.online.flush();
    else if (step.do === "go on") await [...this.#atWork].at(-1 - step.who)?.go(step.calls);
    else if (step.do === "forget") this.#knownBy.delete(step.by);
    else if (step.do === "apply") await this.apply(step.by, step);
    else if (step.do === "apply what comes later") await this.#applyLater(step.entity);
    else if (step.do === "send") await this.#send(step);
    else if (step.do === "sweep") await this.#start(this.#sweeping(step.by), step.calls);
    else if (step.do === "queue") await this.#start(this.#consuming(step.by), step.calls);
    else if (step.do === "rebuild") await this.#start(this.#rebuilding(step), step.calls);
    for (const one of this.#atWork) if (one.isOver) this.#atWork.delete(one);
  }

  /** One at a time: whoever was at it is dead by then. */
  async apply(by: number, { beside = false, calls = TO_THE_END } = {}): Promise<void> {
    if (this.#apply !== null) this.#atWork.delete(this.#apply);
    this.#apply = this.#applying(by, beside);
    await this.#start(this.#apply, calls);
  }

  /** Whoever stands still is dead, or comes to an end; then all that there is comes (again). */
  async end(by: number, areDead: boolean): Promise<void> {
    if (!areDead) for (const one of this.#atWork) await one.go(TO_THE_END);
    this.#atWork.clear();
    await this.#start(this.#sending(by, this.#events), TO_THE_END);
    await this.settle(by);
  }

  /** The deployment sweeps, and takes what is in the queue, until nothing more is to be expected. */
  async settle(by: number): Promise<void> {
    for (const ms of [10 * SECOND_MS, 4 * MINUTE_MS, 4 * MINUTE_MS]) {
      this.now += ms;
      await this.#start(this.#sweeping(by), TO_THE_END);
      for (let i = 0; i < 4; i += 1) await this.#start(this.#consuming(by), TO_THE_END);
    }
  }

  async #start(one: AtWork, calls: number): Promise<void> {
    await one.go(calls);
    if (!one.isOver) this.#atWork.add(one);
  }

  async #send({ by, take, again, calls }: Extract<LifeStep, { do: "send" }>): Promise<void> {
    const end = this.#sent + take;
    const events = this.#events.slice(Math.max(0, this.#sent - again), end);
    this.#sent = Math.min(end, this.#events.length);
    if (events.length > 0) await this.#start(this.#sending(by, events), calls);
  }

  #consumer(by: number, at: AtWork) {
    const { log, history, online, archive, queue, quarantine } = this.ports;
    const own = {
      log: at.port(log),
      history: at.port(history),
      online: at.port(online),
      archive: at.port(archive),
      queue: at.port<IngestQueue>({ send: (...sent) => queue.send(...sent) }),
      quarantine: at.port(quarantine),
    };
    const known = this.#knownBy.get(by) ?? knowOwn(this.registry(by));
    this.#knownBy.set(by, known);
    const inUse = { own: this.registry(by), known, ...this.#listing(at) };
    return {
      ...consumerOf({ ...this.ports, ...own }, () => this.now),
      registry: known.registry,
      inUse,
    };
  }

  #listing(at: AtWork): Pick<ViewsInUse, "list"> {
    return at.port({ list: () => this.truth.definitionStore.listViews() });
  }

  #sending(by: number, events: readonly LogEvent[]): AtWork {
    const delivery = deliver(eventsMessage(events), "m");
    return new AtWork((at) => consume(this.#consumer(by, at), [delivery]));
  }

  #consuming(by: number): AtWork {
    const waiting = (this.ports.queue as MemoryIngestQueue).drain();
    const deliveries = waiting.map(({ body }, i) => deliver(body, `q${i}`));
    return new AtWork((at) => consume(this.#consumer(by, at), deliveries));
  }

  #sweeping(by: number): AtWork {
    return new AtWork((at) => sweep(this.#consumer(by, at)));
  }

  #applying(by: number, beside: boolean): AtWork {
    return new AtWork(async (at) => {
      const registry = this.registry(by);
      const views = new Set([...registry.views.values()].map(({ stateId }) => stateId));
      if (!beside) this.promised = this.promised.intersection(views);
      const inUse = openViewsInUse(registry, this.#listing(at).list);
      const consumer = { ...this.#consumer(by, at), registry, inUse };
      try {
        this.applied = await applyDefinitions({
          ...consumer,
          beside,
          definitions: at.port(this.truth.definitionStore),
          progress: () => undefined,
          ...foldingOf(consumer),
        });
        this.promised = beside ? this.promised.union(views) : views;
      } catch (error) {
        // It does not understand a view that is in use, and does nothing.
        if (!beside || !(error instanceof AppError) || error.code !== "conflict") throw error;
      }
    });
  }

  async #applyLater(entity: string): Promise<void> {
    if (this.#apply !== null) this.#atWork.delete(this.#apply);
    await applyLater(this.truth.definitionStore, entity, this.now);
  }

  #rebuilding({ keepServing }: Extract<LifeStep, { do: "rebuild" }>): AtWork {
    const nothing = async (): Promise<void> => undefined;
    const none = (): void => undefined;
    return new AtWork(async (at) => {
      const { online, archive, now } = this.#consumer(0, at);
      const ctx = { online, archive, now, sleep: nothing, tell: none, hold: nothing };
      const options = { tenant: this.tenant, keepServing, onPage: none, onRestart: none };
      await rebuildTenant(ctx, options).catch((error: unknown) => {
        // It gives up where somebody else flushes or fills.
        if (!(error instanceof AppError)) throw error;
      });
    });
  }
}
