import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { documentOf, readProjectDocuments } from "../../../local/demo/project-documents.ts";

describe("the project's own documents", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), "project-"));
    mkdirSync(join(root, "docs"));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  it("are README.md and the pages of docs, each as it was last written", async () => {
    const written = new Date("2026-11-03T10:20:30.500Z");
    const pages = {
      "README.md": "# Freshet\n\nFresh.\n",
      "docs/design.md": "# Design\n\nSays why.",
    };
    for (const [path, text] of Object.entries({ ...pages, "docs/picture.svg": "<svg/>" })) {
      writeFileSync(join(root, path), text);
      utimesSync(join(root, path), written, written);
    }
    const common = { topic: "freshet", language: "en", updated_at: "2026-11-03T10:20:30.500Z" };
    expect(await readProjectDocuments(root)).toEqual([
      { ...common, id: "README.md", title: "Freshet", body: "Fresh." },
      { ...common, id: "docs/design.md", title: "Design", body: "Says why." },
    ]);
  });

  it("are there where the example runs", async () => {
    const ids = (await readProjectDocuments()).map(({ id }) => id);
    expect(ids).toContain("README.md");
    expect(ids).toContain("docs/design.md");
  });
});

describe("documentOf", () => {
  const at = new Date(0);

  it("takes the first heading of the first level as title, wherever it is", () => {
    const { title, body } = documentOf(
      "a.md",
      "Before.\n\n#  The title ##\n\n## Part\n# Other\n",
      at,
    );
    expect(title).toBe("The title");
    expect(body).toBe("Before.\n\n\n\n## Part\n# Other");
  });

  it("is named by its path where it has no title", () => {
    expect(documentOf("docs/a.md", "#no heading\n", at)).toMatchObject({
      title: "docs/a.md",
      body: "#no heading",
    });
  });
});
