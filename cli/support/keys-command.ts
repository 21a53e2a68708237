import { AppError } from "../../src/errors.ts";
import { kindOf, KEY_ID, type ApiKeyClaims } from "../../src/governance/api-key-claims.ts";
import { signApiKey, verifyApiKey, type KeyRefusal } from "../../src/governance/api-key.ts";
import { parseKeySecrets } from "../../src/governance/key-secrets.ts";
import type { KeyStore } from "../../src/governance/key-store.ts";
import { isExactOrigin } from "../../src/governance/origin.ts";
import type { Role } from "../../src/governance/role.ts";
import { isTenantName } from "../../src/governance/tenant-name.ts";
import { newId } from "../../src/ids.ts";
import { durationMs, SECOND_MS, type Duration } from "../../src/time.ts";
import { parseArgs, UsageError, type Terminal } from "../args.ts";
import { describeKey } from "./describe-key.ts";

export interface KeysContext {
  readonly terminal: Terminal;
  readonly roles: ReadonlyMap<string, Role>;
  /** Epoch ms. */
  readonly now: number;
  /** KEY_SIGNING_SECRET, and where it was found. */
  readonly findSecret: () => Promise<{ readonly value: string; readonly from: string } | null>;
  readonly openStore: () => Promise<{ readonly where: string; readonly store: KeyStore }>;
}

export const KEYS_USAGE = `Makes, explains and revokes API keys.

  npm run keys -- create --tenant acme --role reader [--role …] [--name "Reports"] [--expires 90d]
  npm run keys -- create --tenant acme --role frontend --publishable --origin https://shop.example
  npm run keys -- inspect <key>
  npm run keys -- revoke --tenant acme <key id>
  npm run keys -- revoke <key>

A secret key belongs on servers. A publishable key may be shown in a page: it only reads, and only
from the origins it names. A key is signed, not stored: it is printed once, on standard output.
KEY_SIGNING_SECRET comes from the environment, .dev.vars or .freshet/secrets.json; it may be a
comma-separated list, of which the first signs and all verify. Revoking writes to the database of
DATABASE_URL where that is on Neon, else to that of the running local stack.

Roles: `;

const REFUSALS: Readonly<Record<KeyRefusal, string>> = {
  malformed: "This is no API key: expected fr_live_… or fr_pub_…, whole",
  bad_signature:
    "No secret in KEY_SIGNING_SECRET signed this key: it is forged, cut, or of elsewhere",
  unsupported: "This key carries claims that this version does not know",
  expired: "This key has expired",
};

/** Carries out `keys <args>`; answers the exit code. Throws a UsageError for what it cannot read. */
export async function runKeys(args: readonly string[], context: KeysContext): Promise<number> {
  const { values, positionals } = parseArgs(args, {
    tenant: { type: "string" },
    role: { type: "string", multiple: true },
    publishable: { type: "boolean" },
    origin: { type: "string", multiple: true },
    name: { type: "string" },
    expires: { type: "string" },
  });
  const [command, ...rest] = positionals;
  if (values.help === true || command === undefined) {
    context.terminal.print(KEYS_USAGE + [...context.roles.keys()].join(", "));
    return values.help === true ? 0 : 2;
  }
  switch (command) {
    case "create":
      if (rest.length > 0) throw new UsageError(`create takes options only, not "${rest[0]}"`);
      return create(values, context);
    case "inspect":
      return inspect(only(rest, "inspect <key>"), context);
    case "revoke":
      return revoke(values.tenant, only(rest, "revoke --tenant <tenant> <key id>"), context);
    default:
      throw new UsageError(`There is no "keys ${command}": create, inspect or revoke`);
  }
}

interface CreateOptions {
  readonly tenant?: string | undefined;
  readonly role?: readonly string[] | undefined;
  readonly publishable?: boolean | undefined;
  readonly origin?: readonly string[] | undefined;
  readonly name?: string | undefined;
  readonly expires?: string | undefined;
}

async function create(options: CreateOptions, context: KeysContext): Promise<number> {
  const { terminal, roles, now } = context;
  const { publishable = false, origin: origins = [], role: names = [] } = options;
  const tenant = tenantOf(options.tenant);
  if (names.length === 0) throw new UsageError("Give the key at least one --role");
  if (publishable && origins.length === 0) {
    throw new UsageError("A publishable key needs the pages it is used from: --origin https://…");
  }
  if (!publishable && origins.length > 0) {
    throw new UsageError("Only a publishable key has origins: add --publishable, or drop --origin");
  }
  const wrong = origins.find((origin) => !isExactOrigin(origin));
  if (wrong !== undefined) {
    throw new UsageError(`"${wrong}" is no origin: write scheme and host, as https://shop.example`);
  }
  const claims: ApiKeyClaims = {
    v: 1,
    tenant,
    kid: newId("key", now),
    roles: names,
    ...(options.expires === undefined ? {} : { exp: expiryOf(options.expires, now) }),
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(publishable ? { origins } : {}),
  };
  const [secret = ""] = await signingSecrets(context);
  let key: string;
  try {
    key = await signApiKey(secret, claims);
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  terminal.print(key);
  for (const line of describeKey(claims, roles, now)) terminal.tell(line);
  terminal.tell(
    kindOf(claims) === "secret"
      ? "Keep it on servers and out of repositories. It is not stored and cannot be shown again."
      : "It may be shown in a page. It is not stored and cannot be shown again.",
  );
  await register(tenant, context);
  return 0;
}

/** A key is good without a database, but a tenant that is registered can be read at once. */
async function register(tenant: string, { openStore, terminal, now }: KeysContext): Promise<void> {
  try {
    const { where, store } = await openStore();
    await store.registerTenant(tenant, now);
    terminal.tell(`Tenant ${tenant} is registered in ${where}.`);
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof AppError)) throw error;
    terminal.tell(`Tenant ${tenant} will be registered by its first event: ${error.message}`);
  }
}

async function inspect(key: string, context: KeysContext): Promise<number> {
  const verified = await verifyApiKey(await signingSecrets(context), key, 0);
  if (!verified.ok) {
    context.terminal.tell(REFUSALS[verified.error]);
    return 1;
  }
  const lines = describeKey(verified.value, context.roles, context.now);
  for (const line of lines) context.terminal.print(line);
  return 0;
}

async function revoke(
  tenant: string | undefined,
  keyOrId: string,
  context: KeysContext,
): Promise<number> {
  const target = KEY_ID.test(keyOrId)
    ? { tenant: tenantOf(tenant), kid: keyOrId }
    : await claimsOf(keyOrId, tenant, context);
  const { where, store } = await context.openStore();
  const first = await store.revoke(target.tenant, target.kid, context.now);
  context.terminal.print(
    first
      ? `${target.kid} of tenant ${target.tenant} is revoked in ${where}.`
      : `${target.kid} of tenant ${target.tenant} was revoked already in ${where}.`,
  );
  return 0;
}

/** A leaked key is often all that one has: it says itself whose it is. */
async function claimsOf(
  key: string,
  tenant: string | undefined,
  context: KeysContext,
): Promise<ApiKeyClaims> {
  const verified = await verifyApiKey(await signingSecrets(context), key, 0);
  if (!verified.ok) throw new UsageError(`Neither a key id nor a key: ${REFUSALS[verified.error]}`);
  if (tenant !== undefined && tenant !== verified.value.tenant) {
    throw new UsageError(`This key belongs to another tenant than "${tenant}"`);
  }
  return verified.value;
}

async function signingSecrets(context: KeysContext): Promise<readonly string[]> {
  const found = await context.findSecret();
  if (found === null) {
    throw new UsageError(
      "No KEY_SIGNING_SECRET in the environment, .dev.vars or .freshet/secrets.json: " +
        "npm start makes one for this machine",
    );
  }
  const secrets = parseKeySecrets(found.value);
  if (!secrets.ok) throw new UsageError(`KEY_SIGNING_SECRET in ${found.from}: ${secrets.error}`);
  return secrets.value;
}

function tenantOf(text: string | undefined): string {
  if (text !== undefined && isTenantName(text)) return text;
  throw new UsageError(
    text === undefined
      ? "Say whose key it is: --tenant acme"
      : `"${text}" is no tenant: lower-case letters, digits, _ and -, at most 63`,
  );
}

function expiryOf(text: string, now: number): number {
  try {
    return Math.floor((now + durationMs(text as Duration)) / SECOND_MS);
  } catch {
    throw new UsageError(`--expires "${text}": write a number and s, m, h or d, as 90d`);
  }
}

function only(positionals: readonly string[], usage: string): string {
  const [first, ...others] = positionals;
  if (first === undefined || others.length > 0) throw new UsageError(`Expected: keys ${usage}`);
  return first;
}
