import { DefinitionError } from "./fields.ts";

const NAME = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;
const MAX_LENGTH = 63;

/** Pure. Throws a DefinitionError for an ill-formed name; `view__feature` must have one meaning. */
export function checkName(kind: string, name: string): void {
  if (NAME.test(name) && name.length <= MAX_LENGTH) return;
  throw new DefinitionError(
    `${kind} "${name}": a name is lower-case letters, digits and single _ between them, begins ` +
      `with a letter, and has at most ${MAX_LENGTH} characters`,
  );
}
