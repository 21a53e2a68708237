import { err, ok, type Result } from "../result.ts";

export const MIN_SECRET_BYTES = 32;

/** Pure. Whether a secret is long enough to be guessed by no one, counted in UTF-8 bytes. */
export const isLongEnough = (secret: string): boolean =>
  new TextEncoder().encode(secret).length >= MIN_SECRET_BYTES;

/**
 * Pure. The signing secrets of a comma-separated list: the first signs, all of them verify, so that
 * a secret is replaced by writing the new one in front of the old. The error holds no secret.
 */
export function parseKeySecrets(text: string): Result<readonly string[], string> {
  const secrets = text.split(",").map((secret) => secret.trim());
  const short = secrets.findIndex((secret) => !isLongEnough(secret));
  if (short !== -1) {
    return err(
      `signing secret ${short + 1} of ${secrets.length} is shorter than ${MIN_SECRET_BYTES} bytes`,
    );
  }
  return ok(secrets);
}
