import { expect, it } from "vitest";
import * as zod from "zod";
import * as bundled from "../../../src/platform/zod/zod.ts";

const LEFT_OUT = ["compile", "core", "fromJSONSchema", "locales"];
const left = (namespace: object): readonly (readonly [string, unknown])[] =>
  Object.entries(namespace).filter(([name]) => ![...LEFT_OUT, "z", "default"].includes(name));

it("is zod, but for what is left out", () => {
  expect(left(bundled)).toEqual(left(zod));
  expect(left(bundled.z)).toEqual(left(zod.z));
  expect(zod.default).toBe(zod.z);
  expect(bundled).toHaveProperty("default", bundled.z);
  for (const name of LEFT_OUT) {
    expect(zod.z).toHaveProperty(name);
    expect(Reflect.get(bundled, name)).toBeUndefined();
  }
});
