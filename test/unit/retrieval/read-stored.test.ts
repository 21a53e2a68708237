import { describe, expect, it } from "vitest";
import { compileCollection } from "../../../src/retrieval/collection-plan.ts";
import {
  clientVectors,
  collection,
  lexicalHashing,
  type EmbedderSpec,
  type FilterKind,
} from "../../../src/retrieval/define.ts";
import { readDocument } from "../../../src/retrieval/read-document.ts";
import { readStored, storedBody, storedMembers } from "../../../src/retrieval/read-stored.ts";

const hashing = lexicalHashing({ dimensions: 2 });
const planOf = (
  fields: Readonly<Record<string, FilterKind>>,
  embedder: EmbedderSpec = hashing,
  text: readonly [string, ...string[]] = ["title", "body"],
) => compileCollection(collection("c", { embedder, text, fields, chunk: "none" }));

const CLIENT = { identity: "client/2" };
const MODEL = { identity: "model/2" };

function stored(plan: ReturnType<typeof planOf>, input: object, space = MODEL): string {
  const read = readDocument(plan, input);
  if (!read.ok) throw new Error(read.error[0]?.detail);
  return storedBody(read.value, space);
}

describe("a stored document", () => {
  it("is read as it was, and shown without its vector", () => {
    const plan = planOf({ topic: "string", at: "time" }, clientVectors({ dimensions: 2 }));
    const body = stored(plan, { title: "T", body: "B", at: 5, vector: [3, 4] }, CLIENT);
    const { document, dropped } = readStored(plan, CLIENT, body);
    expect(dropped).toEqual([]);
    expect(document).toMatchObject({
      title: "T",
      text: "B",
      fields: { at: 5 },
      expiresAt: null,
      vector: [0.6, 0.8],
    });
    expect(storedMembers(body)).toEqual({ title: "T", body: "B", at: 5 });
  });

  it("loses what does not fit any more, by name, and keeps the rest", () => {
    const body = stored(planOf({ topic: "string", price: "number", tags: "string[]" }), {
      title: "T",
      topic: "x",
      price: 1,
      tags: ["a"],
      expires_at: 9,
    });
    const { document, dropped } = readStored(
      planOf({ topic: "string[]", price: "number" }),
      MODEL,
      body,
    );
    expect(dropped.toSorted()).toEqual(["tags", "topic"]);
    expect(document).toMatchObject({ title: "T", fields: { price: 1 }, expiresAt: 9 });
  });

  it("has no text where its text fields are gone", () => {
    const body = stored(planOf({}), { title: "T", body: "B" });
    const { document, dropped } = readStored(planOf({}, hashing, ["summary"]), MODEL, body);
    expect(document).toMatchObject({ title: null, text: "", fields: {} });
    expect(dropped.toSorted()).toEqual(["body", "summary", "title"]);
  });

  it("does not take a vector of another space for one of its own", () => {
    const body = stored(planOf({}), { title: "T", vector: [3, 4] });
    expect(readStored(planOf({}), MODEL, body).document.vector).toEqual([0.6, 0.8]);
    const other = readStored(planOf({}), { identity: "other/2" }, body);
    expect(other).toMatchObject({ document: { title: "T", vector: null }, dropped: [] });
  });

  it("is found by its words where its clients gave no fitting vector", () => {
    const body = stored(planOf({}), { title: "T" });
    const plan = planOf({}, clientVectors({ dimensions: 2 }));
    expect(readStored(plan, CLIENT, body)).toMatchObject({
      document: { title: "T", text: "T", vector: null },
      dropped: [],
    });
    const given = stored(planOf({}), { title: "T", vector: [3, 4] });
    expect(readStored(plan, CLIENT, given)).toMatchObject({
      document: { title: "T", vector: null },
      dropped: ["vector"],
    });
  });
});
