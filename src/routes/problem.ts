import { HTTPException } from "hono/http-exception";
import type { z } from "@hono/zod-openapi";
import { AppError, ERROR_STATUS, type ErrorCode, type FieldError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { AppContext } from "./app-env.ts";
import { ERROR_TEXT } from "./error-table.ts";

const RETRY_AFTER_SECONDS = 5;

/** The one place where an error becomes an answer: RFC 9457 `application/problem+json`. */
export const onError =
  (logger: Logger) =>
  (error: Error, c: AppContext): Response => {
    const refusal = refusalOf(error);
    const requestId = c.get("requestId") ?? "";
    if (ERROR_STATUS[refusal.code] >= 500) {
      const foreseen = refusal.code !== "internal";
      const facts = { request_id: requestId, method: c.req.method, path: c.req.path, error };
      logger[foreseen ? "warn" : "error"]("request failed", facts);
    }
    return answer(c, refusal);
  };

/** Pure. The refusal that stands for a thrown error; what nobody foresaw says nothing of itself. */
function refusalOf(error: Error): AppError {
  if (error instanceof AppError) {
    return error.code === "internal" ? new AppError("internal", UNFORESEEN) : error;
  }
  if (error instanceof HTTPException) return fromHono(error);
  return new AppError("internal", UNFORESEEN);
}

const UNFORESEEN = "something went wrong; it is logged under this request id";

/** Pure. What the framework refuses before a route's own code runs. */
function fromHono({ status }: HTTPException): AppError {
  if (status === 415) {
    return new AppError("unsupported_media_type", "send Content-Type: application/json");
  }
  if (status === 413) return new AppError("payload_too_large", "the body is too large");
  if (status === 404) return new AppError("not_found", "there is no such route");
  if (status < 500) return new AppError("invalid_request", "the body is not JSON");
  return new AppError("internal", UNFORESEEN);
}

export const notFound = (c: AppContext): Response =>
  answer(c, new AppError("not_found", `there is no ${c.req.method} ${c.req.path}; see /docs`));

function answer(c: AppContext, { code, message, errors, retryAfterSeconds }: AppError): Response {
  const status = ERROR_STATUS[code];
  const retryAfter =
    retryAfterSeconds ?? (status === 429 || status === 503 ? RETRY_AFTER_SECONDS : undefined);
  const problem = {
    type: `/docs/errors#${code}`,
    title: ERROR_TEXT[code].title,
    status,
    code,
    detail: message,
    request_id: c.get("requestId") ?? "",
    ...(errors.length === 0 ? {} : { errors }),
  };
  return c.body(JSON.stringify(problem), status, {
    "Content-Type": "application/problem+json",
    ...(retryAfter === undefined ? {} : { "Retry-After": String(retryAfter) }),
    ...(code === "unauthorized" ? { "WWW-Authenticate": "Bearer" } : {}),
  });
}

/** What a route does with a body or parameters that do not fit its schema. */
export function refuseInvalid(result: {
  readonly success: boolean;
  readonly target: string;
  readonly error?: unknown;
}): void {
  if (result.success) return;
  const errors = fieldErrorsOf(result.error as z.ZodError);
  const what = result.target === "json" ? "the body" : "a parameter";
  const code: ErrorCode = "invalid_request";
  throw new AppError(code, `${what} is not as described at /docs`, { errors });
}

/** Pure. What a schema says of a body, at most twenty of it. */
export const fieldErrorsOf = ({ issues }: z.ZodError): readonly FieldError[] =>
  issues.slice(0, 20).map(({ path, code, message }) => ({
    path: pathText(path),
    code,
    detail: message,
  }));

/** Pure. `entities[0].customer_id`. */
function pathText(path: readonly PropertyKey[]): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else text += text === "" ? String(part) : `.${String(part)}`;
  }
  return text;
}
