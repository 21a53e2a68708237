import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type {
  DerivedEvent,
  EntityRef,
  EventLog,
  LogEvent,
  MissedEvent,
} from "../../src/features/event-log.ts";
import { commitAll, customer, foldOf, look, merchant, refs } from "../support/event-log-calls.ts";
import { contributionsOf, logEvent, newTenant } from "../support/log-events.ts";
import { truths, type SqlTruth, type Truth } from "../support/stores.ts";

const SOURCE = "payments";

type Feeds = readonly string[];

/** Each of the events to each of the entities, by every feed that missed it. */
const contributionsBy = (missed: readonly MissedEvent[], to: readonly EntityRef[]) =>
  missed.flatMap(({ event: { source, eventId }, feeds }) =>
    feeds.flatMap((feed) => to.map((ref) => ({ ...ref, source, eventId, feed }))),
  );

describe.each(truths())("events that a consumer gave to too few %s", (where, open) => {
  let truth: Truth;
  let log: EventLog;
  beforeAll(async () => {
    truth = await open();
    log = truth.eventLog;
  });
  afterAll(() => truth.close());

  /** Registers feeds of payments, of which these are new. */
  const register = (names: readonly string[], fresh: readonly string[] = []) =>
    truth.definitionStore.registerFeeds(
      names.map((name) => ({ name, source: SOURCE, isNew: fresh.includes(name) })),
    );
  const append = async (
    events: readonly LogEvent[],
    touched: readonly EntityRef[],
    feeds?: readonly string[],
  ) => {
    const contributions = contributionsOf(events, touched);
    const asked = { events, contributions, touched, stateIds: [], now: 5_000 };
    return (await log.append({ ...asked, ...(feeds !== undefined && { feeds }) })).verdicts;
  };
  const found = async (tenant: string, feeds: readonly string[]) =>
    (await log.findMissed(feeds, 1_000))
      .filter(({ event }) => event.tenant === tenant)
      .toSorted((a, b) => (a.event.eventId < b.event.eventId ? -1 : 1));
  const ids = async (tenant: string, feeds: readonly string[]) =>
    (await found(tenant, feeds)).map(({ event }) => event.eventId);
  /** Gives all that is found for these feeds to the entities. */
  async function give(tenant: string, feeds: readonly string[], to: readonly EntityRef[]) {
    const missed = await found(tenant, feeds);
    await log.giveMissed(missed, contributionsBy(missed, to), 6_000);
  }

  it("are set aside for those who know the feeds, and for nobody before past events are given", async () => {
    const tenant = newTenant();
    expect(await register(["a", "b"], ["b"])).toEqual(["b"]);
    const event = logEvent(tenant, "1");
    expect(await append([event], [customer(tenant)], ["a"])).toEqual(["accepted"]);
    await append([event, logEvent(tenant, "2")], [customer(tenant)], ["a", "b"]);
    await append([logEvent(tenant, "3")], [customer(tenant)]);
    await append([logEvent(tenant, "4", { source: "other" })], [customer(tenant)], ["a"]);
    expect(await ids(tenant, ["a", "b"])).toEqual([]);
    await truth.definitionStore.completeFeeds(["a", "b"]);
    expect(await register(["a", "b"])).toEqual([]);
    expect(await found(tenant, ["a", "b"])).toEqual([{ event, feeds: ["b"] }]);
    expect(await found(tenant, ["b", "a", "of another source"])).toHaveLength(1);
    for (const feeds of [["a"], []]) expect(await ids(tenant, feeds)).toEqual([]);
  });

  it("are told of to who stores them", async () => {
    const tenant = newTenant();
    await register(["a", "b"]);
    await truth.definitionStore.completeFeeds(["a", "b"]);
    const setsAside = async (named: readonly string[], feeds?: Feeds) => {
      const events = named.map((id) => logEvent(tenant, id));
      const asked = { events, contributions: [], touched: [], stateIds: [], now: 5_000 };
      return (await log.append({ ...asked, ...(feeds !== undefined && { feeds }) })).setsAside;
    };
    expect(await setsAside(["1"], ["a", "b"])).toBe(false);
    expect(await setsAside(["2"])).toBe(false);
    expect(await setsAside(["1", "3"], ["a"])).toBe(true);
    expect(await setsAside(["1", "3"], ["a"])).toBe(false);
    expect(await setsAside([], [])).toBe(false);
  });

  it("are given once, whoever was given them already, and to nobody who was erased", async () => {
    const tenant = newTenant();
    await register(["a", "b"]);
    await truth.definitionStore.completeFeeds(["a", "b"]);
    const [one, erased] = [merchant(tenant), merchant(tenant, "m2")];
    const events = ["1", "2", "3"].map((id) => logEvent(tenant, id));
    // One of its entities is among those that the caller knows: folded, and pending.
    await append(events.slice(0, 1), [one], ["a"]);
    await commitAll(log, one);
    await append(events.slice(1, 2), [one], ["a"]);
    await append(events.slice(2), [customer(tenant)], ["a"]);
    await truth.putTombstone(erased, 9_000);
    const missed = await found(tenant, ["a", "b"]);
    expect(missed.map(({ feeds }) => feeds)).toEqual([["b"], ["b"], ["b"]]);
    const given = contributionsBy(missed, [one, erased]);
    await Promise.all([1, 2, 3].map(() => log.giveMissed(missed, given, 6_000)));
    expect(await found(tenant, ["a", "b"])).toEqual([]);
    const snapshot = await look(log, one);
    expect(
      refs(snapshot.pending)
        .map(({ eventId }) => eventId)
        .toSorted(),
    ).toEqual(["2", "3"]);
    expect((await look(log, erased)).pending).toEqual([]);
    // Known when it is folded: nothing was served of it before.
    await log.commit([foldOf(snapshot, { folded: refs(snapshot.pending) })], 7_000);
    const lines = await truth.readLog(one);
    expect(lines.map((line) => line.split("@")[1])).toEqual(["6000", "7000", "7000"]);
    await log.giveMissed(missed, given, 8_000);
    expect((await look(log, one)).pending).toEqual([]);
  });

  it("stay while their feed is new again, and go with it", async () => {
    const tenant = newTenant();
    await register(["a", "b"]);
    await truth.definitionStore.completeFeeds(["a", "b"]);
    await append([logEvent(tenant, "1")], [customer(tenant)], ["b"]);
    const missed = await found(tenant, ["a", "b"]);
    expect(missed).toHaveLength(1);
    expect(await register(["a", "b"], ["a"])).toEqual(["a"]);
    await log.giveMissed(missed, contributionsBy(missed, [merchant(tenant)]), 6_000);
    expect((await look(log, merchant(tenant))).pending).toEqual([]);
    expect(await found(tenant, ["a", "b"])).toEqual([]);
    // An apply that died: the next one is of the definitions before.
    await truth.definitionStore.completeFeeds(["a", "b"]);
    expect(await found(tenant, ["a"])).toEqual(missed);
    await truth.definitionStore.completeFeeds(["b"]);
    expect(await register(["a", "b"])).toEqual([]);
    expect(await ids(tenant, ["a", "b"])).toEqual([]);
    await truth.definitionStore.completeFeeds([]);
  });

  it("are given by each feed apart, by whoever knows it", async () => {
    const tenant = newTenant();
    const [one, other, none] = [customer(tenant), merchant(tenant), merchant(tenant, "m2")];
    const waiting = async (ref: EntityRef) => refs((await look(log, ref)).pending).length;
    await register(["a", "b"]);
    await truth.definitionStore.completeFeeds(["a", "b"]);
    await register(["a", "b", "c"], ["c"]);
    await append([logEvent(tenant, "1")], [], []);
    const all = await found(tenant, ["a", "b", "c", "d"]);
    expect(all.map(({ feeds }) => feeds)).toEqual([["a", "b"]]);
    const [ofA, ofB, ofC] = ["a", "b", "c"].map((feed) =>
      all.map((missed) => ({ ...missed, feeds: [feed] })),
    );
    expect(await found(tenant, ["b", "d"])).toEqual(ofB);
    await give(tenant, ["b"], [other]);
    expect(await waiting(other)).toBe(1);
    await commitAll(log, other);
    // Others found it as it was: they give what is left, and that once.
    const given = [
      ...contributionsBy(ofA ?? [], [one]),
      ...contributionsBy([...(ofB ?? []), ...(ofC ?? [])], [none]),
    ];
    const asFound = all.map((missed) => ({ ...missed, feeds: ["a", "b", "c"] }));
    await Promise.all([1, 2].map(() => log.giveMissed(asFound, given, 6_000)));
    expect([await waiting(one), await waiting(other), await waiting(none)]).toEqual([1, 0, 0]);
    await truth.definitionStore.completeFeeds(["a", "b", "c"]);
    expect(await found(tenant, ["a", "b", "c"])).toEqual(ofC);
    await truth.definitionStore.completeFeeds([]);
  });

  it.runIf(where !== "in memory")(
    "are given by all of their feeds at once where the version before set them aside",
    async () => {
      const tenant = newTenant();
      await register(["a", "b"]);
      await truth.definitionStore.completeFeeds(["a", "b"]);
      await append([logEvent(tenant, "1")], [], ["a", "b"]);
      await (truth as SqlTruth).query(
        "INSERT INTO missed_events (tenant, source, event_id, feeds) VALUES ($1, $2, '1', '{b,a}'), ($1, $2, '1', '{forgotten}')",
        [tenant, SOURCE],
      );
      for (const feeds of [["a"], ["b"], []]) expect(await ids(tenant, feeds)).toEqual([]);
      const [missed] = await found(tenant, ["a", "b"]);
      expect(missed?.feeds).toEqual(["b", "a"]);
      await truth.definitionStore.completeFeeds(["b"]);
      await give(tenant, ["b"], [customer(tenant)]);
      expect(refs((await look(log, customer(tenant))).pending)).toHaveLength(1);
      expect(await ids(tenant, ["a", "b"])).toEqual([]);
      await truth.definitionStore.completeFeeds([]);
    },
  );

  it("are found by their ids, so that what is taken back comes before what takes it back", async () => {
    const tenant = newTenant();
    await register(["a", "b"]);
    await truth.definitionStore.completeFeeds(["a", "b"]);
    for (const id of ["012+r", "011+r", "012*r"]) {
      await append([logEvent(tenant, id)], [customer(tenant)], ["a"]);
    }
    expect(await log.findMissed(["a", "b"], 1_000)).toHaveLength(3);
    const order = (await log.findMissed(["a", "b"], 2)).map(({ event }) => event.eventId);
    expect(order).toEqual(["011+r", "012*r"]);
    await truth.definitionStore.completeFeeds([]);
  });

  it("are told of a row whose image they are", async () => {
    const tenant = newTenant();
    await register(["a", "b"]);
    await truth.definitionStore.completeFeeds(["a", "b"]);
    const image = logEvent(tenant, "011+r");
    const move = { tenant, source: SOURCE, key: "r", from: null, to: "011+", imageId: "011+r" };
    const touched = [customer(tenant)];
    const asked = { events: [image], contributions: contributionsOf([image], touched), touched };
    const moves = [{ ...move, events: [0] }];
    await log.append({ ...asked, moves, stateIds: [], feeds: ["a"], now: 5_000 });
    const change = logEvent(tenant, "012+r", { row: { key: "r", order: "012+" } });
    const rowOf = async () => (await log.readChanges([change]))[0]?.row;
    expect(await rowOf()).toEqual({ order: "011+", image, missedBy: ["b"] });
    await give(tenant, ["a", "b"], []);
    expect(await rowOf()).toEqual({ order: "011+", image });
    await truth.definitionStore.completeFeeds([]);
  });

  it("are given with the pairs that take their place, by whoever knows the feeds", async () => {
    const tenant = newTenant();
    await register(["a", "b"]);
    await truth.definitionStore.completeFeeds(["a", "b"]);
    const meeting = { tenant, entity: "paths@1", key: "ada" };
    const given = [
      { ...customer(tenant), feed: "b" },
      { ...merchant(tenant), feed: "a" },
    ];
    const make = async (
      side: string,
      made: Omit<DerivedEvent, "entities">,
      to: number,
      of: Feeds,
    ) => {
      await append([logEvent(tenant, side, { source: "clicks" })], [meeting], []);
      const derived = [{ ...made, entities: given.slice(0, to) }];
      const fold = foldOf(await look(log, meeting), { states: [], derived });
      expect((await log.commit([fold], 6_000, of)).won).toEqual([true]);
    };
    const pendingOf = async (ref: EntityRef) =>
      (await look(log, ref)).pending.map(({ eventId }) => eventId).toSorted();
    await make("left", { event: logEvent(tenant, "p"), follows: null }, 1, ["b"]);
    await commitAll(log, customer(tenant));
    const gone = logEvent(tenant, "p-", { sign: -1 });
    await make("later", { event: gone, follows: "p" }, 2, ["a", "b"]);
    expect(await ids(tenant, ["a", "b"])).toEqual([]);
    // To one of them it was given already.
    expect(await pendingOf(customer(tenant))).toEqual(["p-"]);
    expect(await pendingOf(merchant(tenant))).toEqual(["p", "p-"]);
    await make("more", { event: logEvent(tenant, "q"), follows: null }, 0, []);
    await make("most", { event: logEvent(tenant, "q-", { sign: -1 }), follows: "q" }, 1, ["b"]);
    expect(await found(tenant, ["a", "b"])).toMatchObject([
      { event: { eventId: "q" }, feeds: ["a"] },
      { event: { eventId: "q-" }, feeds: ["a"] },
    ]);
    expect(await pendingOf(customer(tenant))).toEqual(["p-", "q", "q-"]);
    expect(await pendingOf(merchant(tenant))).toEqual(["p", "p-"]);
    await truth.definitionStore.completeFeeds([]);
  });

  it("are pairs as well", async () => {
    const tenant = newTenant();
    await register(["a", "b"]);
    await truth.definitionStore.completeFeeds(["a", "b"]);
    const meeting = { tenant, entity: "paths@1", key: "ada" };
    await append([logEvent(tenant, "side", { source: "clicks" })], [meeting], []);
    const [pair, gone] = [logEvent(tenant, "p"), logEvent(tenant, "p-", { sign: -1 })];
    const derived = [
      { event: pair, entities: [customer(tenant)], follows: null },
      { event: gone, entities: [customer(tenant)], follows: "p" },
      { event: logEvent(tenant, "q-", { sign: -1 }), entities: [], follows: "q" },
    ];
    const fold = foldOf(await look(log, meeting), { states: [], derived });
    expect((await log.commit([fold], 6_000, ["b"])).won).toEqual([true]);
    expect(await found(tenant, ["a", "b"])).toEqual([
      { event: pair, feeds: ["a"] },
      { event: gone, feeds: ["a"] },
    ]);
    await truth.definitionStore.completeFeeds([]);
  });

  it.runIf(where.includes("server"))(
    "are none of those whose storing was under way when a feed was registered",
    async () => {
      const ends: string[] = [];
      const storing = (truth as SqlTruth)
        .batch([
          { text: "SELECT count(*) FROM feeds", params: [] },
          { text: "SELECT pg_sleep(0.4)", params: [] },
        ])
        .then(() => ends.push("stored"));
      await new Promise((resolve) => setTimeout(resolve, 100));
      const registering = register(["late"], ["late"]).then(() => ends.push("registered"));
      await Promise.all([storing, registering]);
      expect(ends).toEqual(["stored", "registered"]);
      await truth.definitionStore.completeFeeds([]);
    },
  );

  it.runIf(where.includes("server"))(
    "are stored without waiting for a registration that waits for a backup",
    async () => {
      const ends: string[] = [];
      const backup = (truth as SqlTruth)
        .batch([
          { text: "SELECT count(*) FROM feeds", params: [] },
          { text: "SELECT pg_sleep(6)", params: [] },
        ])
        .then(() => ends.push("backup"));
      await new Promise((resolve) => setTimeout(resolve, 100));
      const registering = register(["late"], ["late"]).then(() => ends.push("registered"));
      await new Promise((resolve) => setTimeout(resolve, 100));
      const tenant = newTenant();
      const storing = append([logEvent(tenant, "1")], [customer(tenant)], []).then(() =>
        ends.push("stored"),
      );
      await Promise.all([backup, registering, storing]);
      expect(ends).toEqual(["stored", "backup", "registered"]);
      await truth.definitionStore.completeFeeds([]);
    },
  );
});
