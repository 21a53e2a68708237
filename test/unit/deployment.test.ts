import { describe, expect, it } from "vitest";
import { definitions } from "../../definitions/index.ts";
import { helpdesk } from "../../definitions/collections.ts";
import { fraud } from "../../definitions/models.ts";
import { compileDeployment, type Definition } from "../../src/deployment.ts";
import { clientVectors, collection } from "../../src/retrieval/define.ts";

const refusal = (...more: readonly Definition[]): string => {
  try {
    compileDeployment([...definitions, ...more]);
    return "";
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : "";
  }
};

describe("a deployment", () => {
  it("has its models and collections by name, whatever their order in the list", () => {
    const { registry, models, collections } = compileDeployment(definitions.toReversed());
    expect([...models.keys()]).toEqual(["fraud"]);
    expect([...collections.keys()]).toEqual(["helpdesk"]);
    expect(registry.views.size).toBe(6);
  });

  it("may be of collections alone, or of nothing", () => {
    expect(compileDeployment([helpdesk]).collections.size).toBe(1);
    expect(compileDeployment([]).models.size).toBe(0);
  });

  it("refuses a name twice: of collections, of models, and of a model and a view or service", () => {
    const taken = (kind: string, name: string) =>
      `DefinitionError: ${kind} "${name}": that name is taken already`;
    expect(refusal(helpdesk)).toBe(taken("collection", "helpdesk"));
    expect(refusal(fraud)).toBe(taken("model", "fraud"));
    for (const name of ["customer_spend", "velocity", "fraud_features"]) {
      expect(refusal({ ...fraud, name })).toBe(taken("model", name));
    }
  });

  it("lets a collection be named as a view: they are asked for apart", () => {
    const embedder = clientVectors({ dimensions: 2 });
    expect(refusal(collection("customer_spend", { embedder, text: ["body"] }))).toBe("");
  });

  it("refuses a model whose service is not in the list", () => {
    const name = fraud.features.name;
    const without = definitions.filter((one) => one.name !== name);
    expect(() => compileDeployment(without)).toThrow(`uses the service "${name}"`);
  });
});
