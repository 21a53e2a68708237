import { describe, expect, it } from "vitest";
import { createVectorSpaces, spaceIdentity } from "../../../src/platform/vector-spaces.ts";
import {
  clientVectors,
  lexicalHashing,
  openAi,
  workersAi,
  type EmbedderSpec,
} from "../../../src/retrieval/define.ts";

const hashing = lexicalHashing({ dimensions: 8 });
const client = clientVectors({ dimensions: 8 });
const hosted = workersAi("@cf/baai/bge-small-en-v1.5");
const server = openAi({ model: "m", dimensions: 8, baseUrl: "URL", apiKey: "KEY" });
const ALL: readonly EmbedderSpec[] = [hashing, client, hosted, server];

const spacesOf = (local: boolean) =>
  createVectorSpaces({
    local,
    ai: undefined,
    access: () => {
      throw new Error("KEY is not set");
    },
    timeoutMs: 1_000,
    onRoundTrip: () => undefined,
    timed: (embedder) => embedder,
  });

describe("the vector space of a collection", () => {
  it("has the name that apply gives its index", () => {
    for (const local of [true, false]) {
      for (const spec of ALL) {
        const { identity, dimensions } = spacesOf(local)(spec);
        expect(identity).toBe(spaceIdentity(spec, local));
        expect(dimensions).toBe(spec.dimensions);
      }
    }
  });

  it("is another for each embedder, and for models hashing in their place", () => {
    const names = ALL.map((spec) => spaceIdentity(spec, false));
    expect(new Set(names).size).toBe(ALL.length);
    expect(spaceIdentity(server, true)).toBe(spaceIdentity(hashing, true));
    expect(spaceIdentity(client, true)).toBe(spaceIdentity(client, false));
  });

  it("embeds nothing where clients give vectors", () => {
    expect(spacesOf(false)(client).embedder).toBeNull();
  });

  it("asks for a key when something is embedded, and not before", async () => {
    const { embedder } = spacesOf(false)(server);
    await expect(embedder?.embed(["text"], "query")).rejects.toThrow("KEY is not set");
    expect(await spacesOf(true)(server).embedder?.embed(["text"], "query")).toHaveLength(1);
  });
});
