import { z } from "zod";
import { err, ok, type Result } from "../../result.ts";
import { numberOf } from "../number-of.ts";

const MAX_INPUTS = 10_000;
const MAX_CLASSES = 1_000;
const SHOWN = 5;

const input = z.strictObject({
  /** `view:feature` or `view__feature`. */
  feature: z.string().min(1),
  /** The input is 1 where the feature is this and 0 elsewhere; several may name one feature. */
  equals: z.union([z.string(), z.boolean()], { error: "expected text or a boolean" }).optional(),
  /** sign(x) · ln(1 + |x|). */
  transform: z.literal("log1p").optional(),
  mean: z.number().default(0),
  scale: z.number().positive().default(1),
  /** Stands for a missing feature; null: no prediction without it; absent: the mean does. */
  default: z
    .union([z.number(), z.string(), z.boolean(), z.null()], {
      error: "expected a number, text, a boolean or null",
    })
    .optional(),
});

const file = z.strictObject({
  format: z.literal("freshet-linear"),
  format_version: z.literal(1),
  kind: z.enum(["linear", "logistic"]),
  version: z.string().min(1).max(64),
  inputs: z.array(input).min(1).max(MAX_INPUTS),
  /** A row for each score: one, or one for each class where there are more than two. */
  coefficients: z.array(z.array(z.number())),
  intercepts: z.array(z.number()),
  classes: z.array(z.string().min(1)).min(2).max(MAX_CLASSES).optional(),
  /** The probability of the last of two classes from which on it is the label. */
  threshold: z.number().min(0).max(1).optional(),
  metrics: z.record(z.string(), z.unknown()).optional(),
  trained_on: z.string().optional(),
});

/** How a linear or logistic model takes one feature: z = (transform(x) − mean) / scale. */
export type LinearInput = z.output<typeof input>;

/** The file of a linear or logistic model. */
export type LinearFile = z.output<typeof file>;

/**
 * Pure. Reads a model's file. Refuses, with the place and the reason of what is wrong, what is not
 * exactly in the format: unknown names, lengths that do not fit, numbers that are not finite.
 */
export function readLinear(json: unknown): Result<LinearFile, string> {
  const parsed = file.safeParse(json);
  if (!parsed.success) {
    return refuse(parsed.error.issues.map(({ path, message }) => `${dotted(path)}${message}`));
  }
  const wrong = [...inputProblems(parsed.data), ...shapeProblems(parsed.data)];
  return wrong.length > 0 ? refuse(wrong) : ok(parsed.data);
}

function refuse(problems: readonly string[]): Result<never, string> {
  const more = problems.length > SHOWN ? [`and ${problems.length - SHOWN} more`] : [];
  return err([...problems.slice(0, SHOWN), ...more].join("; "));
}

/** `inputs[3].scale: `; nothing for the file itself. */
function dotted(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`));
  return path.length === 0 ? "" : `${text.join("").replace(/^\./, "")}: `;
}

function inputProblems({ inputs }: LinearFile): readonly string[] {
  return inputs.flatMap(({ equals, transform, default: fallback }, i) => {
    const at = `inputs[${i}]`;
    if (equals === undefined) {
      const usable =
        fallback === undefined || fallback === null || !Number.isNaN(numberOf(fallback));
      return usable ? [] : [`${at}.default: expected a number, as this input is one`];
    }
    return [
      ...(transform === undefined ? [] : [`${at}.transform: an input with "equals" has none`]),
      ...(fallback === undefined || fallback === null || typeof fallback === typeof equals
        ? []
        : [`${at}.default: expected a ${typeof equals}, as "equals" is one`]),
    ];
  });
}

function shapeProblems(model: LinearFile): readonly string[] {
  const { kind, inputs, coefficients, intercepts, classes, threshold } = model;
  const problems: string[] = [];
  if (kind === "linear" && classes !== undefined) problems.push("classes: a linear model has none");
  if (kind === "logistic" && classes === undefined) {
    problems.push("classes: a logistic model has at least two");
  }
  if (new Set(classes).size < (classes?.length ?? 0)) problems.push("classes: one is there twice");
  if (threshold !== undefined && (kind === "linear" || classes?.length !== 2)) {
    problems.push("threshold: only a model of two classes has one");
  }
  const rows = scoresOf(model);
  const why = kind === "linear" ? "a linear model" : `${classes?.length ?? 0} classes`;
  for (const [name, { length }] of Object.entries({ coefficients, intercepts })) {
    if (length !== rows) problems.push(`${name}: expected ${rows} for ${why}, found ${length}`);
  }
  for (const [i, { length }] of coefficients.entries()) {
    if (length === inputs.length) continue;
    problems.push(
      `coefficients[${i}]: expected ${inputs.length}, one for each input, found ${length}`,
    );
  }
  return problems;
}

/** Two classes have one score, the last one's log-odds; more have one each. */
const scoresOf = ({ kind, classes = [] }: LinearFile): number =>
  kind === "linear" || classes.length <= 2 ? 1 : classes.length;
