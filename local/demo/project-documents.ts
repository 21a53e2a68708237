import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { HelpDocument } from "./help-api.ts";

const ROOT = join(import.meta.dirname, "../..");

/** What the project says of itself: README.md and docs/*.md as they are now. */
export async function readProjectDocuments(root: string = ROOT): Promise<readonly HelpDocument[]> {
  const names = await readdir(join(root, "docs"));
  const pages = names.filter((name) => name.endsWith(".md")).toSorted();
  return Promise.all(
    ["README.md", ...pages.map((name) => `docs/${name}`)].map(async (path) => {
      const [markdown, { mtime }] = await Promise.all([
        readFile(join(root, path), "utf8"),
        stat(join(root, path)),
      ]);
      return documentOf(path, markdown, mtime);
    }),
  );
}

/** Pure. A page as a document: its first heading is the title, the rest is the body. */
export function documentOf(path: string, markdown: string, updatedAt: Date): HelpDocument {
  const [heading = "", title = path] = /^#[ \t]+(.+?)[ \t#]*$/m.exec(markdown) ?? [];
  return {
    id: path,
    title,
    body: markdown.replace(heading, "").trim(),
    topic: "freshet",
    language: "en",
    updated_at: updatedAt.toISOString(),
  };
}
