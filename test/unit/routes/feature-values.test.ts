import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  approxCountDistinct,
  approxPercentile,
  count,
  countDistinct,
  expDecaySum,
  lastN,
  stddevPop,
  topN,
  vectorMean,
} from "../../../src/features/aggregation.ts";
import { entity, featureView } from "../../../src/features/define.ts";
import { apiKey, eventSource } from "../../../src/features/define-source.ts";
import { decimal, vector } from "../../../src/features/fields.ts";
import { hopping, tumbling } from "../../../src/features/window.ts";
import { createTestApi, NOON } from "../../support/requests.ts";

const reader = entity("reader", { key: "reader_id" });

const visits = eventSource("visits", {
  schema: z.object({
    id: z.string(),
    reader_id: z.string(),
    page: z.string(),
    device: z.enum(["phone", "desktop", "watch"]),
    paid: decimal(),
    seconds: z.number(),
    topic: vector(3),
    at: z.iso.datetime({ offset: true }),
  }),
  id: "id",
  eventTime: "at",
  accept: [apiKey()],
});

const reading = featureView("reading", {
  entity: reader,
  source: visits,
  features: {
    latest: lastN("page", 2),
    dearest: topN("paid", 2).over("7d"),
    pages: countDistinct("page", { max: 2 }).over("1d"),
    pages_by: countDistinct("page", { max: 2 }).by("device", { keys: ["phone"] }),
    about: approxCountDistinct("page", { precision: 8 }),
    typical: approxPercentile("seconds", 0.5, { accuracy: 0.02 }).over(tumbling("1h")),
    spread: stddevPop("seconds"),
    lately: expDecaySum("seconds", "1h"),
    interest: vectorMean("topic").over(hopping("1h", "5m")),
    visits: count()
      .by("device", { keys: ["phone", "desktop"] })
      .over("1d"),
  },
});

async function open() {
  const api = await createTestApi({ definitions: [reader, visits, reading] });
  const key = await api.key();
  const visit = (id: string, minutes: number, more: object) => ({
    id,
    reader_id: "r1",
    page: `/${id}`,
    device: "phone",
    paid: "1.10",
    seconds: 10,
    topic: [0.1, 0.2, -1],
    at: new Date(NOON - minutes * 60_000).toISOString(),
    ...more,
  });
  const json = [
    visit("a", 70, { seconds: 30 }),
    visit("b", 30, { paid: "9007199254740993.5", topic: [0.3, 0, 1] }),
    visit("c", 20, { device: "watch", seconds: 20 }),
  ];
  const sent = await api.call("POST /v1/sources/visits/events", { key, json });
  expect(await sent.json()).toMatchObject({ accepted: 3, rejected: [] });
  await api.settle();
  await Promise.all(api.after.splice(0));
  return { api, key };
}

describe("features that are lists and objects", () => {
  it("come as such, and say which of them reached their bound", async () => {
    const { api, key } = await open();
    const entities = [{ reader_id: "r1" }, { reader_id: "nobody" }];
    const json = { features: ["reading"], entities };
    const answer = await api.call("POST /v1/features/online", { key, json });
    const { names, results } = await answer.json<{
      names: readonly string[];
      results: readonly { values: readonly unknown[]; capped?: readonly string[] }[];
    }>();
    const [known, unknown] = results.map(({ values }) =>
      Object.fromEntries(names.map((name, i) => [name.replace("reading:", ""), values[i]])),
    );
    expect(known).toEqual({
      latest: ["/c", "/b"],
      dearest: ["9007199254740993.5", "1.1"],
      pages: 2,
      pages_by: { phone: 2, other: 1 },
      about: 3,
      typical: expect.closeTo(10, 0) as number,
      spread: Math.sqrt(200 / 3),
      lately: expect.closeTo(
        30 * 2 ** (-70 / 60) + 10 * 2 ** (-30 / 60) + 20 * 2 ** (-20 / 60),
        12,
      ) as number,
      interest: [0.2, 0.1, 0],
      visits: { phone: 2, desktop: 0, other: 1 },
    });
    expect(results[0]?.capped).toEqual(["reading:pages"]);
    expect(unknown).toMatchObject({
      latest: null,
      pages: null,
      pages_by: { phone: null, other: null },
      interest: null,
      visits: { phone: 0, desktop: 0, other: 0 },
    });
    expect(results[1]).not.toHaveProperty("capped");
    const one = await api.call("GET /v1/features/reading/r1", { key });
    expect((await one.json<{ results: unknown[] }>()).results).toEqual([results[0]]);
  });

  it("are described by the catalogue with all that decides them", async () => {
    const { api, key } = await open();
    const answer = await api.call("GET /v1/catalog/views/reading", { key });
    const { features } = await answer.json<{ features: readonly { name: string }[] }>();
    const feature = (name: string) => features.find((one) => one.name === `reading:${name}`);
    expect(feature("latest")).toEqual({
      name: "reading:latest",
      aggregate: "lastN",
      parameters: { n: 2 },
      field: "page",
      where: {},
      window: "lifetime",
      type: "string",
      list: true,
      default: null,
    });
    expect(feature("dearest")).toMatchObject({ type: "decimal", list: true });
    expect(feature("pages")).toMatchObject({ type: "integer", parameters: { max: 2 } });
    expect(feature("about")).toMatchObject({ type: "integer", parameters: { precision: 8 } });
    expect(feature("typical")).toMatchObject({
      type: "number",
      window: "tumbling 1h",
      parameters: { p: 0.5, accuracy: 0.02, from: 1e-6, to: 1e9 },
    });
    expect(feature("lately")).toMatchObject({ parameters: { half_life_ms: 3_600_000 } });
    expect(feature("interest")).toMatchObject({
      type: "number",
      list: true,
      window: "hopping 1h every 5m",
    });
    expect(feature("visits")).toMatchObject({
      by: { field: "device", keys: ["phone", "desktop"] },
      type: "integer",
      window: "1d",
    });
    const source = await api.call("GET /v1/catalog/sources/visits", { key });
    expect((await source.json<{ fields: readonly unknown[] }>()).fields).toContainEqual({
      name: "topic",
      type: "vector",
      dimensions: 3,
      nullable: false,
      pii: null,
    });
  });
});
