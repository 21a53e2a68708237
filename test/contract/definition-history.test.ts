import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DefinitionRecord } from "../../src/planning/definition-record.ts";
import { newTenant } from "../support/log-events.ts";
import { truths, type Truth } from "../support/stores.ts";

describe.each(truths())("the history of definitions %s", (_name, open) => {
  let truth: Truth;
  beforeAll(async () => void (truth = await open()));
  afterAll(() => truth.close());

  const service = (name: string, spec: string): DefinitionRecord => ({
    kind: "service",
    name,
    spec,
  });

  /** What is registered under these names, as `name version spec`, in brackets where retired. */
  const registered = async (...names: readonly string[]): Promise<readonly string[]> =>
    (await truth.definitionHistory.list())
      .filter(({ name }) => names.includes(name))
      .map(({ name, version, spec, retired }) => {
        const line = `${name} ${version} ${spec}`;
        return retired ? `(${line})` : line;
      });

  it("numbers the versions of each definition, and keeps the text of all", async () => {
    const { definitionHistory: history } = truth;
    const [a, b] = [`a${newTenant()}`, `b${newTenant()}`];
    await history.register([service(b, '{"z":1.0,"a":["é"]}'), service(a, "[]")], 1);
    await history.register([service(b, '{"z":1}'), service(a, "[]")], 2);
    expect(await registered(a, b)).toEqual([
      `${a} 1 []`,
      `(${b} 1 {"z":1.0,"a":["é"]})`,
      `${b} 2 {"z":1}`,
    ]);
  });

  it("registers the same definitions again without a trace", async () => {
    const name = newTenant();
    await truth.definitionHistory.register([service(name, "[1]")], 1);
    const before = await truth.definitionHistory.list();
    await truth.definitionHistory.register([service(name, "[1]")], 2);
    expect(await truth.definitionHistory.list()).toEqual(before);
  });

  it("gives one that returns its old version again", async () => {
    const name = newTenant();
    for (const spec of ["[1]", "[2]", "[1]"]) {
      await truth.definitionHistory.register([service(name, spec)], 1);
    }
    expect(await registered(name)).toEqual([`${name} 1 [1]`, `(${name} 2 [2])`]);
    await truth.definitionHistory.register([], 2);
    expect(await registered(name)).toEqual([`(${name} 1 [1])`, `(${name} 2 [2])`]);
    await truth.definitionHistory.register([service(name, "[3]")], 3);
    expect((await registered(name)).at(-1)).toBe(`${name} 3 [3]`);
  });

  it("tells kinds of the same name apart, and leaves views to their own registry", async () => {
    const name = newTenant();
    const kinds = ["entity", "source", "view", "collection"] as const;
    await truth.definitionHistory.register(
      kinds.map((kind) => ({ kind, name, spec: '"same"' })),
      1,
    );
    const found = (await truth.definitionHistory.list()).filter((one) => one.name === name);
    expect(found.map(({ kind, version }) => [kind, version])).toEqual([
      ["collection", 1],
      ["entity", 1],
      ["source", 1],
    ]);
  });
});
