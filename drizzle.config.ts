import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "postgresql",
  schema: [
    "./src/platform/neon/schema.ts",
    "./src/platform/neon/definition-schema.ts",
    "./src/platform/neon/search-schema.ts",
    "./src/platform/neon/quality-schema.ts",
  ],
  out: "./migrations",
});
