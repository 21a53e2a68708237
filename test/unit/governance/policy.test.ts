import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { BUILT_IN_ROLES, rolesByName } from "../../../src/governance/built-in-roles.ts";
import { authorise, PUBLISHABLE_ACTIONS } from "../../../src/governance/policy.ts";
import type { Principal } from "../../../src/governance/principal.ts";
import {
  ACTIONS,
  role,
  type Resource,
  type ResourcePattern,
} from "../../../src/governance/role.ts";

const ROLES = rolesByName([
  role("risk-reader", [
    { actions: ["read_features"], resources: ["view:customer_spend", "view:fraud_*"] },
  ]),
]);

const server = (...roles: string[]): Principal => ({
  kind: "secret",
  tenant: "acme",
  keyId: "key_01",
  name: null,
  roles,
  origins: null,
  origin: null,
});

const browser = (origin: string | null, ...roles: string[]): Principal => ({
  ...server(...roles),
  kind: "publishable",
  origins: ["https://shop.example"],
  origin,
});

describe("the policy", () => {
  it("denies whatever no role grants", () => {
    const anything = fc.tuple(
      fc.constantFrom(...ACTIONS),
      fc.constantFrom<Resource>("source:payments", "view:x", "system:metrics"),
    );
    const nobody = fc.constantFrom(server(), server("nobody"), server("__proto__", "constructor"));
    fc.assert(
      fc.property(nobody, anything, (principal, [action, resource]) => {
        expect(authorise(principal, action, resource, ROLES)).toEqual({
          allowed: false,
          reason: "no_grant",
        });
      }),
    );
  });

  it("names the rule that allows", () => {
    expect(authorise(server("producer"), "ingest", "source:payments", ROLES)).toEqual({
      allowed: true,
      rule: "producer: ingest on source:*",
    });
  });

  it.each<[string, Resource, boolean]>([
    ["risk-reader", "view:customer_spend", true],
    ["risk-reader", "view:customer_spend_2", false],
    ["risk-reader", "view:fraud_", true],
    ["risk-reader", "view:fraud_daily", true],
    ["risk-reader", "view:fraud", false],
    ["risk-reader", "service:fraud_daily", false],
    ["risk-reader", "view:*", false],
    ["reader", "view:*", true],
    ["producer", "view:customer_spend", false],
  ])("lets a %s read the features of %s: %s", (name, resource, allowed) => {
    expect(authorise(server(name), "read_features", resource, ROLES).allowed).toBe(allowed);
  });

  it("takes the sum of several roles", () => {
    const principal = server("producer", "risk-reader");
    expect(authorise(principal, "ingest", "source:payments", ROLES).allowed).toBe(true);
    expect(authorise(principal, "read_features", "view:fraud_x", ROLES).allowed).toBe(true);
    expect(authorise(principal, "read_history", "view:fraud_x", ROLES).allowed).toBe(false);
  });

  it("lets an admin do everything", () => {
    for (const action of ACTIONS) {
      expect(authorise(server("admin"), action, "system:anything", ROLES).allowed).toBe(true);
    }
  });

  it("lets a publishable key only read, whatever its roles", () => {
    const names = fc.constantFrom(...ROLES.keys());
    fc.assert(
      fc.property(fc.array(names), fc.constantFrom(...ACTIONS), (roles, action) => {
        const principal = browser("https://shop.example", ...roles, "admin");
        expect(authorise(principal, action, "view:x", ROLES)).toMatchObject(
          PUBLISHABLE_ACTIONS.has(action)
            ? { allowed: true }
            : { allowed: false, reason: "publishable_key" },
        );
      }),
    );
    expect([...PUBLISHABLE_ACTIONS].every((action) => !/write|ingest|erase/.test(action))).toBe(
      true,
    );
  });

  it.each([null, "https://evil.example", "https://shop.example.evil.example", "null"])(
    "lets a publishable key do nothing from %s",
    (origin) => {
      expect(authorise(browser(origin, "admin"), "read_features", "view:x", ROLES)).toEqual({
        allowed: false,
        reason: "origin",
      });
    },
  );

  it("grants no one but an admin to erase or to administer", () => {
    for (const { name } of BUILT_IN_ROLES) {
      for (const action of ["erase", "admin"] as const) {
        const { allowed } = authorise(server(name), action, "entity:customer", ROLES);
        expect(allowed).toBe(name === "admin");
      }
    }
  });
});

describe("a role", () => {
  it.each(["", "Admin", "a b", "*", "9lives", "a".repeat(64)])("is not named %j", (name) => {
    expect(() => role(name, [])).toThrow(/lower-case/);
  });

  it("grants no action that does not exist", () => {
    const actions = ["read_everything"] as unknown as ["admin"];
    expect(() => role("typo", [{ actions, resources: ["*"] }])).toThrow(/read_everything/);
  });

  it.each(["", "view", "view:", "views:x", "*:x", "view:*x", "view:a b", "view:a:b", "**"])(
    "grants nothing on %j",
    (pattern) => {
      const resources = [pattern as ResourcePattern];
      expect(() => role("typo", [{ actions: ["search"], resources }])).toThrow(/names no resource/);
    },
  );

  it("does not take the name of another", () => {
    expect(() => rolesByName([role("reader", [])])).toThrow(/already there/);
    expect(() => rolesByName([role("mine", []), role("mine", [])])).toThrow(/already there/);
  });
});
