import { signApiKey } from "../../src/governance/api-key.ts";

/** The tenant that the example belongs to. */
export const DEMO_TENANT = "demo";

/** Where development servers of front ends usually listen. */
const FRONT_END_PORTS = [3000, 5173];

export interface DevelopmentKeys {
  /** May do everything in the example's tenant. */
  readonly secret: string;
  /** Reads only, and only from pages of this machine. */
  readonly publishable: string;
  /** The pages that the publishable key works on. */
  readonly origins: readonly string[];
}

/**
 * The two API keys for work on this machine: the same ones at every start, as long as the signing
 * secret and the port are the same. `signingSecret` is the first of KEY_SIGNING_SECRET.
 */
export async function developmentKeys(
  signingSecret: string,
  port: number,
): Promise<DevelopmentKeys> {
  const origins = [
    `http://127.0.0.1:${port}`,
    ...[port, ...FRONT_END_PORTS].map((one) => `http://localhost:${one}`),
  ];
  const common = { v: 1, tenant: DEMO_TENANT } as const;
  return {
    secret: await signApiKey(signingSecret, { ...common, kid: "key_dev0secret", roles: ["admin"] }),
    publishable: await signApiKey(signingSecret, {
      ...common,
      kid: "key_dev0publishable",
      roles: ["frontend"],
      origins,
    }),
    origins,
  };
}
