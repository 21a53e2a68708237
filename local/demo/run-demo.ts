import { askModel, usualPayment } from "./ask-model.ts";
import { checkShop, CUSTOMER_VIEWS, type ToCheck } from "./check-shop.ts";
import { createClient } from "./client.ts";
import { writeDemo } from "./demo-file.ts";
import { createHelpApi } from "./help-api.ts";
import type { DevelopmentKeys } from "./keys.ts";
import { measuredRows, measureReads, measureSearches, type Measured } from "./measure.ts";
import { allPayments, openDemo, type OpenedDemo } from "./open-demo.ts";
import type { Payment } from "./payments.ts";
import { predictionLines } from "./prediction-report.ts";
import {
  arrivalLines,
  checkLines,
  customerLines,
  headline,
  servingLines,
  storyLines,
} from "./report.ts";
import type { Screen } from "./screen.ts";
import { sendLoad } from "./send-load.ts";
import { showHelpCentre } from "./show-help-centre.ts";
import { createShopApi, type OnlineAnswer, type ShopApi } from "./shop-api.ts";
import { pickStory, theftOf, type Story } from "./story.ts";
import { tryLines } from "./try-lines.ts";
import { table } from "./words.ts";

export interface RunDemoOptions extends Screen {
  /** The Worker's, without a slash at the end. */
  readonly url: string;
  readonly keys: DevelopmentKeys;
  /** The `whsec_…` with which the example's tenant is sent webhooks. */
  readonly webhookSecret: string;
  /** Keeps `demo.json`; must exist. */
  readonly dataDir: string;
  /** Epoch ms. */
  readonly now: () => number;
  /** How many payments a new example has. */
  readonly payments?: number;
  /** How often each kind of call is measured. */
  readonly reads?: number;
}

const SEED = "freshet";
const CHECKED_CUSTOMERS = 50;

/**
 * Shows the system at work through its public HTTP API: sends the example's payments, unless they
 * are there, and its help centre; reports what came of them, what is predicted and found, how long
 * calls take, and what to try. Throws where a call is refused or payments do not become visible.
 */
export async function runDemo(options: RunDemoOptions): Promise<void> {
  const { url, keys, webhookSecret, dataDir, now, payments = 6_000, reads: times = 200 } = options;
  const client = createClient(url, keys.secret);
  const api = createShopApi({ client, webhookSecret, now });
  const help = createHelpApi(client);
  const opened = await openDemo(api, { dataDir, seed: SEED, payments, now: now() });
  const story = pickStory(opened.load);
  const say = (lines: readonly string[]): void =>
    ["", ...lines].forEach((line) => options.print(line));

  say([headline(opened)]);
  const measured =
    opened.state === "new" || opened.state === "interrupted"
      ? await sendAndShow({ ...options, api, opened, story, say })
      : await showOnly({ api, opened, story, say, now });
  const documents = await showHelpCentre(help, options, say);
  const reads = await measureReads(api, opened.load, times);
  const searches = await measureSearches(help, documents, times);
  say([
    "What calls take, over HTTP from this machine",
    ...table(measuredRows([...reads, ...searches, ...measured])),
  ]);
  say(servingLines(url, keys));
  say(tryLines(url, keys, story, now()));
}

interface Scene {
  readonly api: ShopApi;
  readonly opened: OpenedDemo;
  readonly story: Story;
  readonly say: (lines: readonly string[]) => void;
  readonly now: () => number;
}

async function sendAndShow(scene: Scene & RunDemoOptions): Promise<readonly Measured[]> {
  const { api, opened, story, say, dataDir, now } = scene;
  const arrived = await sendLoad(api, scene, opened.load, opened.demo.later);
  say(arrivalLines(arrived));

  const theft = theftOf(story, opened.demo.later.length + 1, now());
  const demo = { ...opened.demo, later: [...opened.demo.later, theft] };
  const before = await readStory(api, story, theft);
  await predict(scene, theft, before);
  await writeDemo(dataDir, demo);
  await api.send([theft], true);
  say(storyLines(theft, before, await readStory(api, story, theft)));

  const customers = [story.customerId, ...others(opened, story)].slice(0, CHECKED_CUSTOMERS);
  await check(scene, {
    payments: allPayments({ demo, load: opened.load }),
    customers,
    merchants: opened.load.merchants,
  });
  return [
    { name: "send 1 payment", calls: arrived.oneByOne.plain },
    { name: "send 1 payment and wait until it is visible", calls: arrived.oneByOne.waited },
  ];
}

async function showOnly(scene: Scene): Promise<readonly Measured[]> {
  const { api, opened, story, say, now } = scene;
  const { answer } = await api.read({
    features: CUSTOMER_VIEWS.map(({ name }) => name),
    entities: [{ customer_id: story.customerId }],
  });
  say(customerLines(story.customerId, answer));
  await predict(scene, theftOf(story, opened.demo.later.length + 1, now()), answer);
  if (opened.state === "foreign") return [];
  // The lines to try pay as the story's customer at the story's merchant: those may have changed.
  await check(scene, {
    payments: allPayments(opened),
    customers: others(opened, story).slice(0, CHECKED_CUSTOMERS),
    merchants: opened.load.merchants.filter((id) => id !== story.merchantId),
  });
  return [];
}

/** What the model says of a payment as usual and of a theft; neither has been made. */
async function predict({ api, story, say }: Scene, theft: Payment, known: OnlineAnswer) {
  const stolen = { amount: Number(theft.amount), country: theft.country };
  const judged = await askModel(api, story, [usualPayment(story, known), stolen]);
  say(predictionLines(story.customerId, judged));
}

async function check({ api, say }: Scene, what: ToCheck): Promise<void> {
  say(checkLines(what, await checkShop(api, what)));
}

/** Customers from all over the list, without the story's. */
function others({ load }: OpenedDemo, { customerId }: Story): readonly string[] {
  const step = Math.max(1, Math.floor(load.customers.length / (CHECKED_CUSTOMERS + 1)));
  return load.customers.filter((id, i) => i % step === 0 && id !== customerId);
}

/** What a fraud model would be told of this payment. */
async function readStory(api: ShopApi, story: Story, payment: Payment): Promise<OnlineAnswer> {
  const { answer } = await api.read({
    service: "fraud_features",
    entities: [{ customer_id: story.customerId }],
    request: [{ amount: Number(payment.amount), country: payment.country }],
  });
  return answer;
}
