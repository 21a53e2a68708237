import { describe, expect, it } from "vitest";
import { readArticles } from "../../../local/demo/help-centre/articles.ts";

const TOPICS = ["payments", "refunds", "security", "orders", "account", "merchants"];

describe("the articles of the help centre", () => {
  const articles = readArticles();

  it("have ids of their own that say which are Japanese", () => {
    const ids = articles.map(({ id }) => id);
    expect(new Set(ids).size).toBe(articles.length);
    for (const { id, language } of articles) {
      expect(id).toMatch(/^[a-z0-9-]+$/);
      expect(id.startsWith("ja-")).toBe(language === "ja");
    }
  });

  it("are in English and in Japanese, on every topic", () => {
    const found = (language: string) => articles.filter((article) => article.language === language);
    for (const language of ["en", "ja"]) {
      expect(found(language)).toHaveLength(24);
      expect([...new Set(found(language).map(({ topic }) => topic))].toSorted()).toEqual(
        TOPICS.toSorted(),
      );
    }
    for (const { title } of found("ja")) expect(title).toMatch(/[\p{sc=Hira}\p{sc=Kana}]/u);
  });

  it("have text, and say when they were written in UTC", () => {
    for (const { title, body, updated_at } of articles) {
      expect(title.trim()).not.toBe("");
      expect(body.length).toBeGreaterThan(200);
      expect(new Date(updated_at).toISOString()).toBe(updated_at.replace("Z", ".000Z"));
    }
  });
});
