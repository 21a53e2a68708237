import { describe, expect, it } from "vitest";
import { z } from "zod";
import { count } from "../../../src/features/aggregation.ts";
import { featureView, onDemand, service } from "../../../src/features/define.ts";
import { checkName } from "../../../src/features/names.ts";
import { compileDefinitions } from "../../../src/features/registry.ts";
import { device, readings } from "../../support/views.ts";

describe("a name", () => {
  it("is lower-case letters, digits and single underscores between them", () => {
    for (const name of ["a", "a1", "customer_spend", "a_1_b", "a".repeat(63)]) {
      expect(() => checkName("view", name)).not.toThrow();
    }
    for (const name of [
      "",
      "1a",
      "_a",
      "a_",
      "a__b",
      "A",
      "a-b",
      "a:b",
      "a b",
      "é",
      "a".repeat(64),
      "a\n",
    ]) {
      expect(() => checkName("view", name)).toThrow(/^view ".*": a name is lower-case letters/s);
    }
  });

  it("has one meaning in view__feature, so that every view can be read by its name", () => {
    const view = (name: string, feature: string) =>
      featureView(name, {
        entity: device,
        source: readings,
        features: { [feature]: count() } as Record<string, never>,
      });
    const compile = (name: string, feature: string) =>
      compileDefinitions([device, readings, view(name, feature)]);
    expect(() => compile("a__b", "n")).toThrow(/view "a__b": a name/);
    expect(() => compile("a_", "n")).toThrow(/view "a_": a name/);
    expect(() => compile("a", "n:1")).toThrow(/view "a", feature "n:1": a name/);
    expect(() => compile("a", "")).toThrow(/view "a", feature "": a name/);
    const velocity = onDemand("velocity", {
      version: 1,
      request: z.object({}),
      from: [],
      features: { "a b": () => 1 },
    });
    expect(() => compileDefinitions([velocity])).toThrow(/"velocity", feature "a b": a name/);
    expect(() => compileDefinitions([service("s__t", [])])).toThrow(/service "s__t"/);
  });
});
