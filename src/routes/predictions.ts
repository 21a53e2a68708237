import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { AppError } from "../errors.ts";
import { newId } from "../ids.ts";
import { predict, type Prediction } from "../predictions/predict.ts";
import type { AppEnv } from "./app-env.ts";
import { authorise } from "../governance/policy.ts";
import { authoriseAll, renewLater } from "./identity.ts";
import { guarded } from "./middleware/guard.ts";
import { queryBody } from "./middleware/query-body.ts";
import { readerOf, replacedNow } from "./online-reader.ts";
import { predictionAnswer, predictionRequest } from "./prediction-schemas.ts";
import { problems, QUERY_PROBLEMS } from "./schemas.ts";

const predictRoute = createRoute({
  ...guarded("predict", "read", queryBody),
  method: "post",
  path: "/models/{model}/predictions",
  operationId: "predict",
  tags: ["Predictions"],
  summary: "What a model makes of up to 1,000 entities",
  description:
    "Features are read in one round trip to the online store, or given in the request. A feature " +
    "that is missing takes the model's default, and the prediction names it.",
  request: {
    params: z.object({ model: z.string().openapi({ example: "fraud" }) }),
    body: { required: true, content: { "application/json": { schema: predictionRequest } } },
  },
  responses: {
    200: {
      description: "Predictions, in the order of the request",
      content: { "application/json": { schema: predictionAnswer } },
    },
    ...problems(...QUERY_PROBLEMS),
  },
});

/** Predictions of the deployment's models. */
export const predictionRoutes = new OpenAPIHono<AppEnv>().openapi(predictRoute, async (c) => {
  const ctx = c.get("ctx");
  const { model: name } = c.req.valid("param");
  const caller = c.get("permit")(`model:${name}`);
  const model = ctx.models.get(name);
  if (model === undefined) throw new AppError("not_found", `there is no model "${name}"`);
  const { entities, request, features, explain, as_of } = c.req.valid("json");
  if (explain) {
    // Contributions show the features' values: of the service, or of each view.
    const service = `service:${model.service}` as const;
    const views = model.views.map((view) => `view:${view}` as const);
    const whole = authorise(caller, "read_features", service, ctx.roles).allowed;
    if (!whole) authoriseAll(ctx, caller, "read_features", views);
  }
  // Without entities the meta key is not read on the way.
  if (entities === undefined) renewLater(ctx, caller.tenant);
  const asOf = replacedNow(ctx, as_of);
  const reader = { ...readerOf(ctx, caller), newId: () => newId("prd", ctx.now()) };
  const { tenant } = caller;
  const input = { tenant, model, entities, request, features, explain, asOf };
  const answer = await predict(reader, input);
  const predictions = answer.predictions.map(printPrediction);
  return c.json({ model: answer.model, as_of: answer.asOf, predictions }, 200);
});

/** What the wire says alike; absent members are left out. */
const printPrediction = (one: Prediction) => ({
  id: one.id,
  ...(one.entity !== undefined && { entity: one.entity }),
  value: one.value,
  label: one.label,
  probabilities: one.probabilities,
  ...(one.contributions !== undefined && { contributions: one.contributions, base: one.base }),
  version: one.version,
  degraded: one.degraded,
});
