import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { definitions as example } from "../../../definitions/index.ts";
import { compileDeployment } from "../../../src/deployment.ts";
import type { RegisteredDefinition } from "../../../src/planning/definition-history.ts";
import type { DefinitionRecord } from "../../../src/planning/definition-record.ts";
import { describeDeployment } from "../../../src/planning/describe-deployment.ts";
import { diffDefinitions } from "../../../src/planning/diff-definitions.ts";

const entity = (name: string, spec: string): DefinitionRecord => ({ kind: "entity", name, spec });
const registered = (
  name: string,
  version: number,
  spec: string,
  retired = false,
): RegisteredDefinition => ({ ...entity(name, spec), version, retired });

const anyRecords = fc
  .uniqueArray(
    fc.record({
      kind: fc.constantFrom("entity", "service", "view"),
      name: fc.constantFrom("a", "b", "c"),
      spec: fc.constantFrom("[1]", "[2]", "[3]"),
    }),
    { selector: ({ kind, name }) => `${kind} ${name}` },
  )
  .map((records) => records as readonly DefinitionRecord[]);

/** What is registered when these were applied one after another. */
function applied(deployments: readonly (readonly DefinitionRecord[])[]) {
  const known: RegisteredDefinition[] = [];
  for (const records of deployments) {
    const changes = diffDefinitions(records, known);
    const has = (one: DefinitionRecord) =>
      records.some((r) => r.kind === one.kind && r.name === one.name && r.spec === one.spec);
    for (const [i, one] of known.entries()) known[i] = { ...one, retired: !has(one) };
    for (const record of records) {
      const of = changes.find(({ kind, name }) => kind === record.kind && name === record.name);
      if (
        known.some(
          (one) => one.kind === record.kind && one.name === record.name && one.spec === record.spec,
        )
      )
        continue;
      known.push({ ...record, version: of?.to ?? 0, retired: false });
    }
  }
  return known;
}

describe("what differs between definitions", () => {
  it("is nothing once they are applied, whatever was before", () => {
    fc.assert(
      fc.property(fc.array(anyRecords), anyRecords, (before, now) => {
        expect(diffDefinitions(now, applied([...before, now]))).toEqual([]);
      }),
    );
  });

  it("is every definition whose specification is another, once, with versions without gaps", () => {
    fc.assert(
      fc.property(fc.array(anyRecords), anyRecords, (before, now) => {
        const known = applied(before);
        const live = known.filter(({ retired }) => !retired);
        const key = ({ kind, name }: Pick<DefinitionRecord, "kind" | "name">) => `${kind} ${name}`;
        const text = (records: readonly DefinitionRecord[]) =>
          new Map(records.map((one) => [key(one), one.spec]));
        const [old, wanted] = [text(live), text(now)];
        const expected = [...new Set([...old.keys(), ...wanted.keys()])].filter(
          (name) => old.get(name) !== wanted.get(name),
        );
        const differences = diffDefinitions(now, known);
        expect(differences.map(key).toSorted()).toEqual(expected.toSorted());
        for (const one of differences) {
          const numbers = known.filter((k) => key(k) === key(one)).map(({ version }) => version);
          expect(numbers).toEqual(numbers.map((_, i) => i + 1));
          expect(one.to ?? 1).toBeLessThanOrEqual(numbers.length + 1);
          expect(one.action === "changed").toBe(one.changes.length > 0);
        }
      }),
    );
  });

  it("says what is added, changed and removed, in the order wanted", () => {
    const known = [registered("b", 1, '{"key":["x"]}'), registered("gone", 3, "{}")];
    const differences = diffDefinitions([entity("a", "{}"), entity("b", '{"key":["y"]}')], known);
    expect(differences).toEqual([
      { kind: "entity", name: "a", action: "added", from: null, to: 1, changes: [] },
      {
        kind: "entity",
        name: "b",
        action: "changed",
        from: 1,
        to: 2,
        changes: [{ path: ["key"], action: "changed", before: ["x"], after: ["y"] }],
      },
      { kind: "entity", name: "gone", action: "removed", from: 3, to: null, changes: [] },
    ]);
  });

  it("gives what was there before its old version", () => {
    const known = [registered("a", 1, "[1]", true), registered("a", 2, "[2]")];
    expect(diffDefinitions([entity("a", "[1]")], known)).toMatchObject([{ from: 2, to: 1 }]);
    expect(diffDefinitions([entity("a", "[3]")], known)).toMatchObject([{ from: 2, to: 3 }]);
    const retired = known.map((one) => ({ ...one, retired: true }));
    expect(diffDefinitions([entity("a", "[2]")], retired)).toMatchObject([
      { action: "added", from: null, to: 2 },
    ]);
  });
});

describe("a deployment as data", () => {
  const describeExample = () => describeDeployment(compileDeployment(example), example);

  it("is the same whenever it is compiled, and has every definition", () => {
    expect(describeExample()).toEqual(describeExample());
    expect(describeExample().map(({ name }) => name)).toEqual(example.map(({ name }) => name));
  });

  it("knows what an on-demand view looks at, and what its cases give", () => {
    const velocity = describeExample().find(({ name }) => name === "velocity");
    const spec = JSON.parse(velocity?.spec ?? "") as Record<string, unknown>;
    expect(spec).toMatchObject({
      version: 2,
      request: [
        { name: "amount", required: true },
        { name: "country", required: false },
      ],
      from: ["customer_spend"],
      reads: ["customer_spend:amount_mean_30d", "customer_spend:last_country"],
    });
    expect((spec["cases"] as unknown[])[0]).toEqual({
      request: { amount: 75, country: "BR" },
      features: { customer_spend: { amount_mean_30d: 25, last_country: "DE" } },
      values: { country: "BR", amount_vs_mean: 3, country_changed: true },
    });
  });

  it("holds no secret, and nothing that is about a definition only", () => {
    const text = JSON.stringify(describeExample());
    expect(text).toContain("standard webhooks PAYMENTS WEBHOOK SECRET");
    expect(text).not.toContain("risk@example.com");
  });
});
