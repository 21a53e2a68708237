import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");
const DOMAINS = ["features", "retrieval", "predictions", "ingest", "planning", "governance"];
const IMPORTS = "no-restricted-imports";
const GLOBALS = "no-restricted-globals";
const PROPERTIES = "no-restricted-properties";

interface Case {
  readonly file: string;
  readonly source: string;
  readonly rule: string | undefined;
}

const from = (specifier: string): string =>
  `import { x } from "${specifier}";\nexport const y = x;`;
const refused = (file: string, source: string, rule: string): Case => ({ file, source, rule });
const allowed = (file: string, source: string): Case => ({ file, source, rule: undefined });

const ZOD = 'import { z } from "zod";';

const OUTSIDE = [
  "hono",
  "hono/cors",
  "@hono/zod-openapi",
  "drizzle-orm",
  "drizzle-orm/pg-core",
  "@upstash/redis",
  "@neondatabase/serverless",
  "cloudflare:workers",
  "node:crypto",
  "../routes/problem.ts",
  "../platform/neon/log.ts",
  "../app.ts",
  "../context.ts",
  "../config.ts",
  "../worker.ts",
  "../../local/start.ts",
];

const EFFECTS: readonly (readonly [string, string])[] = [
  ['export const y = fetch("https://example.com");', GLOBALS],
  ['export const y = globalThis.fetch("https://example.com");', GLOBALS],
  ["export const y = Date.now();", GLOBALS],
  ["export const y = new Date();", GLOBALS],
  ["export const y = performance.now();", GLOBALS],
  ['console.log("x");\nexport const y = 1;', GLOBALS],
  ["export const y = process.argv;", GLOBALS],
  ['export const y = Buffer.from("x");', GLOBALS],
  ["export const y = Math.random();", PROPERTIES],
  ["export const y = crypto.randomUUID();", PROPERTIES],
];

const KNOWS: Readonly<Record<string, readonly string[]>> = {
  features: ["governance"],
  retrieval: ["features", "governance"],
  predictions: ["features", "governance"],
  ingest: ["features", "retrieval", "governance"],
  planning: ["features", "retrieval", "predictions", "governance"],
  governance: [],
};

const CASES: readonly Case[] = [
  ...DOMAINS.flatMap((domain) => [
    ...OUTSIDE.map((specifier) => refused(`src/${domain}/a.ts`, from(specifier), IMPORTS)),
    ...EFFECTS.map(([source, rule]) => refused(`src/${domain}/deep/a.ts`, source, rule)),
    ...DOMAINS.filter((other) => other !== domain).map((other) =>
      KNOWS[domain]?.includes(other) === true
        ? allowed(`src/${domain}/a.ts`, from(`../${other}/a.ts`))
        : refused(`src/${domain}/deep/a.ts`, from(`../../${other}/a.ts`), IMPORTS),
    ),
    allowed(`src/${domain}/deep/a.ts`, from("../b.ts")),
    allowed(`src/${domain}/a.ts`, from("../errors.ts")),
    allowed(`src/${domain}/a.ts`, from("zod")),
    allowed(
      `src/${domain}/a.ts`,
      "export const y = crypto.subtle;\nexport const z = crypto.getRandomValues(new Uint8Array(1));",
    ),
  ]),
  ...["errors", "result", "ids", "time", "any-other"].flatMap((kernel) => [
    refused(`src/${kernel}.ts`, from("./features/define.ts"), IMPORTS),
    refused(`src/${kernel}.ts`, from("./context.ts"), IMPORTS),
    refused(`src/${kernel}.ts`, from("hono"), IMPORTS),
  ]),
  allowed("src/time.ts", from("./result.ts")),
  allowed("src/time.ts", 'export const y = Date.parse("2026-01-31");'),
  refused("src/routes/a.ts", from("../platform/upstash/online-store.ts"), IMPORTS),
  refused("src/routes/middleware/a.ts", from("../../platform/upstash/client.ts"), IMPORTS),
  refused("src/routes/a.ts", from("@upstash/redis"), IMPORTS),
  refused("src/routes/a.ts", from("drizzle-orm"), IMPORTS),
  refused("src/routes/a.ts", from("../app.ts"), IMPORTS),
  allowed("src/routes/a.ts", from("../features/read-online.ts")),
  allowed("src/routes/a.ts", from("@hono/zod-openapi")),
  refused("src/app.ts", from("./platform/upstash/client.ts"), IMPORTS),
  refused("src/worker.ts", from("./platform/upstash/client.ts"), IMPORTS),
  allowed("src/context.ts", from("./platform/upstash/client.ts")),
  refused("src/context.ts", from("./routes/features.ts"), IMPORTS),
  refused("src/platform/neon/a.ts", from("../../context.ts"), IMPORTS),
  refused("src/platform/neon/a.ts", from("../../routes/problem.ts"), IMPORTS),
  refused("src/platform/neon/a.ts", from("hono"), IMPORTS),
  allowed("src/platform/neon/a.ts", from("./client.ts")),
  allowed("src/platform/neon/a.ts", from("../../features/event-log.ts")),
  refused("src/app.ts", from("../local/start.ts"), IMPORTS),
  refused("src/app.ts", from("node:fs"), IMPORTS),
  refused("src/context.ts", from("node:fs"), IMPORTS),
  refused("src/app.ts", 'export const y = () => import("./platform/neon/log.ts");', IMPORTS),
  refused("src/context.ts", "export const y = (env: Env) => env.DATABASE_URL;", PROPERTIES),
  refused("src/routes/a.ts", "export const y = (c: Env) => c.env.ENVIRONMENT;", PROPERTIES),
  refused("src/app.ts", "export const y = ({ DATABASE_URL }: Env) => DATABASE_URL;", PROPERTIES),
  allowed("src/config.ts", "export const y = (env: Env) => env.DATABASE_URL;"),
  refused("definitions/shop.ts", from("../src/platform/neon/log.ts"), IMPORTS),
  refused("definitions/shop.ts", from("hono"), IMPORTS),
  allowed("definitions/shop.ts", from("../src/features/define.ts")),
  refused("definitions/shop.ts", `${ZOD}\nexport const y = z.locales.de();`, PROPERTIES),
  allowed("definitions/shop.ts", `${ZOD}\nexport const y = z.string();`),
  refused("src/app.ts", "export default 1;", "no-default-export"),
  refused("src/features/a.ts", 'export * from "./b.ts";', "no-barrel-file"),
  refused("src/app.ts", "export const y = (x: any) => x;", "no-explicit-any"),
  allowed("src/worker.ts", "export default 1;"),
  allowed("vitest.config.ts", "export default 1;"),
];

interface Report {
  readonly diagnostics: readonly { readonly code: string; readonly filename: string }[];
}

let tree = "";
const found = new Map<string, string[]>();

/** Each case stands in a room of its own under the tree, laid out as the project is. */
const pathOf = (index: number, file: string): string => join(tree, `${index}`, file);

beforeAll(() => {
  tree = mkdtempSync(join(tmpdir(), "arrows-"));
  const config = readFileSync(join(ROOT, ".oxlintrc.json"), "utf8")
    .replace('"typeAware": true', '"typeAware": false')
    .replaceAll(/"((?:src|definitions)\/[^"]*|\*\.config\.ts)"/g, '"*/$1"');
  writeFileSync(join(tree, ".oxlintrc.json"), config);
  for (const [index, { file, source }] of CASES.entries()) {
    mkdirSync(dirname(pathOf(index, file)), { recursive: true });
    writeFileSync(pathOf(index, file), `${source}\n`);
  }
  for (const { code, filename } of lint()) {
    const path = relative(tree, join(tree, filename));
    found.set(path, [...(found.get(path) ?? []), code]);
  }
});

afterAll(() => {
  rmSync(tree, { recursive: true, force: true });
});

function lint(): Report["diagnostics"] {
  const oxlint = join(ROOT, "node_modules/.bin/oxlint");
  try {
    execFileSync(oxlint, ["--format=json"], { cwd: tree, encoding: "utf8" });
    return [];
  } catch (cause) {
    return (JSON.parse((cause as { stdout: string }).stdout) as Report).diagnostics;
  }
}

describe("the arrows between the rooms", () => {
  it.each(CASES.map((example, index) => ({ ...example, index })))(
    "$file: $source → $rule",
    ({ file, rule, index }) => {
      const codes = found.get(join(`${index}`, file)) ?? [];
      expect(codes.map((code) => code.replace(/^.*\((.*)\)$/, "$1"))).toEqual(rule ? [rule] : []);
    },
  );
});
