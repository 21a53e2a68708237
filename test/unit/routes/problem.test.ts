import { describe, expect, it } from "vitest";
import { AppError, ERROR_STATUS, type ErrorCode } from "../../../src/errors.ts";
import { createTestApi, type TestApi } from "../../support/requests.ts";

const READ = "GET /v1/features/customer_spend/c1";
const PROBLEM = "application/problem+json";

async function failing(error: Error): Promise<{ api: TestApi; answer: Response }> {
  const api = await createTestApi();
  api.broken.set("redis", error);
  return { api, answer: await api.call(READ, { key: await api.key() }) };
}

describe("problems", () => {
  it.each(Object.entries(ERROR_STATUS) as [ErrorCode, number][])(
    "says %s with status %i",
    async (code, status) => {
      const errors = [{ path: "a.b", code: "odd", detail: "is odd" }];
      const { answer } = await failing(new AppError(code, "what a client may read", { errors }));
      expect(answer.status).toBe(status);
      expect(answer.headers.get("content-type")).toBe(PROBLEM);
      const problem = await answer.json<Record<string, unknown>>();
      expect(problem).toMatchObject({ type: `/docs/errors#${code}`, status, code });
      expect(problem["request_id"]).toBe(answer.headers.get("x-request-id"));
      expect(problem["title"]).toEqual(expect.any(String));
      const opaque = code === "internal";
      expect(problem["detail"] === "what a client may read").toBe(!opaque);
      expect(problem["errors"]).toEqual(opaque ? undefined : errors);
    },
  );

  it("says nothing of what nobody foresaw, and logs it under the request's id", async () => {
    const secret = "postgresql://user:hunter2@host/db";
    const error = new TypeError(`no such thing`, { cause: new Error(`cannot reach`) });
    Object.assign(error, { query: "SELECT secret", params: [secret] });
    const { api, answer } = await failing(error);
    expect(answer.status).toBe(500);
    const text = await answer.text();
    expect(text).not.toContain("no such thing");
    const requestId = answer.headers.get("x-request-id");
    expect(api.lines).toMatchObject([
      {
        level: "error",
        message: "request failed",
        request_id: requestId,
        method: "GET",
        path: "/v1/features/customer_spend/c1",
        error: { name: "TypeError", message: "no such thing", cause: { message: "cannot reach" } },
      },
    ]);
    expect(JSON.stringify(api.lines)).not.toContain("hunter2");
    expect(JSON.stringify(api.lines)).not.toContain("SELECT");
  });

  it("keeps a cause to itself, and does not log what clients do wrong", async () => {
    const cause = new Error("MGET fr:acme:s:customer_spend@1:c1");
    const { api, answer } = await failing(
      new AppError("dependency_unavailable", "The online store does not answer.", { cause }),
    );
    expect(await answer.text()).not.toContain("MGET");
    expect(api.lines).toMatchObject([{ level: "warn", error: { code: "dependency_unavailable" } }]);
    await api.call(READ);
    expect(api.lines).toHaveLength(1);
  });

  it("knows no other routes and methods", async () => {
    const api = await createTestApi();
    for (const route of ["GET /nothing", "PATCH /v1/catalog", "GET /v1/../etc", "GET /v1"]) {
      const answer = await api.call(route, { key: await api.key() });
      expect(answer.status).toBe(404);
      expect(answer.headers.get("content-type")).toBe(PROBLEM);
      expect(await answer.json()).toMatchObject({ code: "not_found" });
    }
  });

  it("tells a body of another type or form from one with wrong fields", async () => {
    const api = await createTestApi();
    const key = await api.key();
    const ask = (body: string, type: string) =>
      api.call("POST /v1/features/online", { key, body, headers: { "content-type": type } });
    expect(await (await ask("{}", "text/plain")).json()).toMatchObject({ status: 415 });
    expect(await (await ask("{", "application/json")).json()).toMatchObject({ status: 400 });
    const wrong = await ask('{"entities":[]}', "application/json; charset=utf-8");
    expect(await wrong.json()).toMatchObject({
      code: "invalid_request",
      errors: [{ path: "entities", code: "too_small" }],
    });
  });
});

describe("the envelope", () => {
  it("names each request, keeps a sane name of the caller's, and makes up one otherwise", async () => {
    const api = await createTestApi();
    const named = async (id: string) => {
      const answer = await api.call("GET /healthz", { headers: { "x-request-id": id } });
      return answer.headers.get("x-request-id");
    };
    expect(await named("order-17:retry.2")).toBe("order-17:retry.2");
    const own = /^req_[0-9a-z]{26}$/;
    expect(await named("a b")).toMatch(own);
    expect(await named("x".repeat(101))).toMatch(own);
    expect(await named("<script>")).toMatch(own);
    expect(await named("")).toMatch(own);
  });

  it("echoes a valid trace and no other", async () => {
    const api = await createTestApi();
    const echoed = async (traceparent: string) =>
      (await api.call("GET /healthz", { headers: { traceparent } })).headers.get("traceparent");
    const valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    expect(await echoed(valid)).toBe(valid);
    expect(await echoed(valid.toUpperCase())).toBeNull();
    expect(await echoed(`00-${"0".repeat(32)}-b7ad6b7169203331-01`)).toBeNull();
    expect(await echoed("anything")).toBeNull();
  });

  it("says what a request cost, failed ones too", async () => {
    const { answer } = await failing(new AppError("timeout", "The online store took too long."));
    expect(answer.headers.get("server-timing")).toMatch(/^redis;dur=[\d.]+;desc="1", .*total;dur=/);
    const api = await createTestApi();
    expect((await api.call("GET /healthz")).headers.get("server-timing")).toMatch(
      /^total;dur=[\d.]+$/,
    );
  });
});
