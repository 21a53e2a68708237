import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { AppError, ERROR_STATUS } from "../../../src/errors.ts";
import { createTestApi } from "../../support/requests.ts";

describe("health", () => {
  it("asks nobody", async () => {
    const api = await createTestApi();
    api.broken.set("redis", new Error("down")).set("postgres", new Error("down"));
    const answer = await api.call("GET /healthz");
    expect(await answer.json()).toEqual({ status: "ok" });
  });

  it("is ready when Redis and Postgres answer, each asked once", async () => {
    const api = await createTestApi();
    const answer = await api.call("GET /readyz");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("server-timing")).toMatch(/desc="1", postgres;dur=[\d.]+;desc="1"/);
  });

  it.each(["redis", "postgres"])("names %s when it does not answer", async (store) => {
    const api = await createTestApi();
    api.broken.set(store, new AppError("dependency_unavailable", "no"));
    const answer = await api.call("GET /readyz");
    expect(answer.status).toBe(503);
    expect(await answer.json()).toMatchObject({
      code: "dependency_unavailable",
      errors: [{ path: store }],
    });
  });
});

describe("the description", () => {
  it("is the committed openapi.json, to the letter", async () => {
    const api = await createTestApi();
    const committed = readFileSync(join(import.meta.dirname, "../../../openapi.json"), "utf8");
    const answer = await api.call("GET /openapi.json");
    expect(answer.headers.get("content-type")).toBe("application/json");
    expect(await answer.text()).toBe(committed);
  });

  it("describes the problem of every status that a route may answer", async () => {
    const api = await createTestApi();
    const { paths, components } = await (
      await api.call("GET /openapi.json")
    ).json<{
      paths: Record<string, Record<string, { responses: Record<string, { $ref?: string }> }>>;
      components: { responses: Record<string, unknown> };
    }>();
    expect(Object.keys(components.responses)).toEqual(Object.keys(ERROR_STATUS));
    const refusals = Object.values(paths)
      .flatMap((operations) => Object.values(operations))
      .flatMap(({ responses }) => Object.entries(responses))
      .filter(([status]) => Number(status) >= 400);
    expect(refusals.length).toBeGreaterThan(50);
    for (const [status, { $ref }] of refusals) {
      const code = ($ref?.split("/").at(-1) ?? "internal") as keyof typeof ERROR_STATUS;
      expect(ERROR_STATUS[code]).toBe(Number(status));
    }
  });

  it("is readable where the reader's script does not load", async () => {
    const api = await createTestApi();
    const answer = await api.call("GET /docs");
    expect(answer.headers.get("content-type")).toMatch(/^text\/html/);
    const page = await answer.text();
    const place = page.indexOf('<div id="app">');
    const list = page.slice(place, page.indexOf("<script", place));
    expect(list).toContain("POST /v1/features/online");
    expect(list).toContain('href="/openapi.json"');
    expect(page).toMatch(
      /<script src="https:\/\/[^"]+@\d+\.\d+\.\d+\/[^"]+" integrity="sha384-[^"]+"/,
    );
    expect(await (await api.call("GET /docs")).text()).toBe(page);
  });

  it("explains every error where problems point to", async () => {
    const api = await createTestApi();
    const page = await (await api.call("GET /docs/errors")).text();
    for (const [code, status] of Object.entries(ERROR_STATUS)) {
      expect(page).toContain(`id="${code}"`);
      expect(page).toContain(`${status}`);
    }
  });

  it("is found from the root", async () => {
    const api = await createTestApi();
    expect(await (await api.call("GET /")).json()).toMatchObject({ docs: "/docs" });
  });
});
