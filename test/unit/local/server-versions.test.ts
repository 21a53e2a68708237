import { describe, expect, it } from "vitest";
import { serverComplaint } from "../../../local/server-versions.ts";

const fine = { version: "18.6", versionNumber: 180_006, pgvector: "0.8.7" };

describe("serverComplaint", () => {
  it.each([fine, { ...fine, pgvector: "0.8.4" }, { ...fine, pgvector: "0.10.0" }])(
    "has none about %o",
    (versions) => {
      expect(serverComplaint(versions)).toBeNull();
    },
  );

  it("names the versions of a Postgres that is too old", () => {
    const old = { ...fine, version: "17.2", versionNumber: 170_002 };
    expect(serverComplaint(old)).toBe(
      "DATABASE_URL names Postgres 17.2; Freshet needs 18 or newer.",
    );
  });

  it("says what to install where pgvector is missing", () => {
    expect(serverComplaint({ ...fine, pgvector: null })).toContain("postgresql-18-pgvector");
  });

  it.each(["0.8.3", "0.7.10"])("says how to update pgvector %s", (pgvector) => {
    expect(serverComplaint({ ...fine, pgvector })).toContain("ALTER EXTENSION vector UPDATE");
  });
});
