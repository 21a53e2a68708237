import { z, type OpenAPIHono } from "@hono/zod-openapi";
import { ERROR_STATUS, type ErrorCode } from "../errors.ts";
import { parseInstant } from "../time.ts";
import { ERROR_TEXT } from "./error-table.ts";

/** Epoch milliseconds in answers. */
export const epochMs = z.int().openapi({ description: "Epoch milliseconds, UTC" });

/** An instant in requests. */
export const instant = z
  .union([z.number(), z.string()])
  .transform((value, context) => {
    const parsed = parseInstant(value);
    if (parsed.ok) return parsed.value;
    context.addIssue(parsed.error);
    return z.NEVER;
  })
  .openapi({
    type: ["integer", "string"],
    description: "Epoch milliseconds, or ISO 8601 with offset",
  });

const fieldError = z.object({
  path: z.string().openapi({ example: "entities[0].customer_id" }),
  code: z.string().openapi({ example: "missing_key" }),
  detail: z.string(),
});

const problem = z
  .object({
    type: z.string().openapi({ description: "Where the code is explained" }),
    title: z.string(),
    status: z.int(),
    code: z.enum(Object.keys(ERROR_STATUS) as [ErrorCode, ...ErrorCode[]]),
    detail: z.string(),
    request_id: z.string().openapi({ description: "Name it when you ask somebody about it" }),
    errors: z.array(fieldError).optional(),
  })
  .openapi("Problem", { description: "RFC 9457" });

type ProblemResponses<C extends ErrorCode> = {
  [K in C as (typeof ERROR_STATUS)[K]]: { readonly $ref: string };
};

/** The refusals of a route, for its description. Every route may also answer `internal`. */
export function problems<const C extends ErrorCode>(
  ...codes: readonly C[]
): ProblemResponses<C | "internal"> {
  const references = [...codes, "internal" as const].map((code) => [
    ERROR_STATUS[code],
    { $ref: `#/components/responses/${code}` },
  ]);
  return Object.fromEntries(references) as ProblemResponses<C | "internal">;
}

/** The refusals of a route that reads a JSON body and asks the stores. */
export const QUERY_PROBLEMS = [
  "invalid_request",
  "unauthorized",
  "forbidden",
  "not_found",
  "payload_too_large",
  "unsupported_media_type",
  "unprocessable",
  "dependency_unavailable",
  "timeout",
] as const;

/** Registers the problem of every code, which `problems` refers to. */
export function describeProblems(registry: OpenAPIHono["openAPIRegistry"]): void {
  registry.register("Problem", problem);
  for (const code of Object.keys(ERROR_STATUS) as ErrorCode[]) {
    const { title, meaning } = ERROR_TEXT[code];
    const example = {
      type: `/docs/errors#${code}`,
      title,
      status: ERROR_STATUS[code],
      code,
      detail: meaning,
      request_id: "req_01kammpx7jc8m2v5x9d3t6r0yq",
    };
    registry.registerComponent("responses", code, {
      description: `\`${code}\`: ${meaning}`,
      content: {
        "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" }, example },
      },
    });
  }
}
