import { err, ok, type Result } from "../result.ts";

const MAX_KEY_BYTES = 512;

/** Printable ASCII without `%` and `,`: its canonical form is itself. */
const PLAIN = /^[ -$&-+\--~]+$/;

/**
 * Pure. The canonical form of an entity key: its parts NFC-normalised, with `%` and `,` escaped,
 * joined by `,`; so distinct keys never collide. Refuses empty parts, NUL, lone surrogates, and
 * more than 512 bytes in all.
 */
export function canonicalKey(parts: readonly string[]): Result<string, string> {
  const [only = ""] = parts;
  if (parts.length === 1 && only.length <= MAX_KEY_BYTES && PLAIN.test(only)) return ok(only);
  const escaped: string[] = [];
  for (const part of parts) {
    if (part === "") return err("an entity key is empty");
    if (part.includes("\0")) return err("an entity key holds a NUL");
    if (!part.isWellFormed()) return err("an entity key is not valid Unicode");
    escaped.push(part.normalize("NFC").replaceAll("%", "%25").replaceAll(",", "%2C"));
  }
  const key = escaped.join(",");
  const bytes = key.length * 3 <= MAX_KEY_BYTES ? 0 : new TextEncoder().encode(key).length;
  return bytes > MAX_KEY_BYTES ? err(`an entity key is over ${MAX_KEY_BYTES} bytes`) : ok(key);
}

/** Pure. The parts of a canonical key, unescaped. */
export const keyParts = (key: string): readonly string[] =>
  key.split(",").map((part) => part.replaceAll("%2C", ",").replaceAll("%25", "%"));
