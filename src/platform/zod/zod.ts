// What the Worker is bundled with in place of zod, for bundlers keep all of its namespace: all that
// it exports but what the Worker has no use for (other languages, and schemas from JSON Schema), or
// cannot run (compiled parsers are code made from text).
// oxlint-disable oxc/no-barrel-file -- it stands for a package
export * from "zod/v4";
// oxlint-disable-next-line import/no-self-import -- the namespace of what is left
export * as z from "./zod.ts";
// oxlint-disable-next-line import/no-self-import, import/no-default-export -- zod has one, too
export * as default from "./zod.ts";

const LEFT_OUT = undefined;
export { LEFT_OUT as compile, LEFT_OUT as core, LEFT_OUT as fromJSONSchema, LEFT_OUT as locales };
