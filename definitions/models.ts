import { model } from "../src/predictions/define.ts";
import fraudModel from "./models/fraud.json" with { type: "json" };
import { fraudFeatures } from "./services.ts";

// A model is a file and the service whose features it takes. It is evaluated in the Worker, in the
// round trip in which its features are read.

export const fraud = model("fraud", {
  description: "How likely a payment is not its customer's own",
  owner: "risk@example.com",
  features: fraudFeatures,
  kind: "classifier",
  // Trained by `npm run train:fraud` on the example's own payments.
  file: fraudModel,
});
