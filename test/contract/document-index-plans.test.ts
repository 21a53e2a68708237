import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDocumentIndex } from "../../src/platform/neon/document-index.ts";
import { PURGE_CHUNKS } from "../../src/platform/neon/purge-statement.ts";
import { searchSettings, searchStatement } from "../../src/platform/neon/search-statement.ts";
import {
  createSqlClient,
  type SqlClient,
  type SqlStatement,
} from "../../src/platform/neon/sql-client.ts";
import { newIndex, put, query, wantedOf } from "../support/document-calls.ts";
import { sqlTruths, type SqlTruth } from "../support/stores.ts";

const TABLES = ["documents", "search_chunks", "search_postings", "search_terms", "search_spaces"];

describe.each(sqlTruths())("the document index's plans %s", (_name, open) => {
  let truth: SqlTruth;
  beforeAll(async () => void (truth = await open()));
  afterAll(() => truth.close());

  it("look rows up one by one, even in tables that were analysed while they were empty", async () => {
    const index = newIndex();
    const documents = truth.documentIndex;
    await truth.indexRegistry.register([wantedOf(index)], 1);
    for (const table of TABLES) await truth.query(`VACUUM (ANALYZE) ${table}`);
    const writes = (from: number) =>
      Array.from({ length: 200 }, (_, i) => {
        const words = Array.from(
          { length: 20 },
          (_unused, w) => `w${(from + i * 7 + w * 13) % 900}`,
        );
        const vector = [i, from, 1, 0];
        return put(`d${from + i}`, {
          chunks: [0, 1].map((n) => ({ text: `${words.join(" ")} n${n}`, vector })),
        });
      });
    for (let from = 0; from < 2_000; from += 200) {
      const versions = await documents.commit(index, writes(from), 1);
      expect(versions).not.toContain(null);
    }

    const plans: string[] = [];
    const explain = async ({ text, params }: SqlStatement) => {
      const rows = await truth.query(`EXPLAIN ${text}`, params);
      plans.push(rows.map((row) => row["QUERY PLAN"]).join("\n"));
      return [];
    };
    const client: SqlClient = {
      query: (text, params) => explain({ text, params }),
      batch: (statements) => Promise.all(statements.map(explain)),
    };
    const explained = createDocumentIndex(client);
    const again = writes(0).map((one, i) =>
      i % 2 === 0
        ? one
        : { ...one, chunks: one.chunks.map(({ hash }) => ({ hash, content: null })) },
    );
    await explained.commit(index, again, 1);
    await explained.readHeads(
      index,
      again.map(({ id }) => id),
    );
    await explained.search(index, query({ words: "w1 w2 w3 n0", titleField: "title" }));
    await explained.findStale(index.collection, `${index.collection}@0000000000000000`, 50);
    await explained.read(index, "d1", 1);
    const { tenant, collection, indexId } = index;
    await explain({ text: PURGE_CHUNKS, params: [tenant, collection, indexId, 1_000] });

    expect(plans).toHaveLength(8);
    for (const plan of plans) {
      // A join whose condition is no index's and no hash's compares everything with everything.
      expect(plan).not.toMatch(/Join Filter/);
      expect(plan).not.toMatch(
        /Seq Scan on (documents|search_chunks|search_postings|search_terms)/,
      );
    }

    // Nothing is known of the vectors, and the planner would rather sort them all.
    const wanted = query({ vector: [1, 0, 0, 0] });
    const { text, params } = searchStatement(index, wanted);
    const statements = [searchSettings(index, wanted), { text: `EXPLAIN ${text}`, params }];
    const [, plan = []] = await sqlClientOf(truth).batch(statements);
    expect(plan.map((row) => row["QUERY PLAN"]).join("\n")).toContain("Index Scan using vectors_");
  });
});

const sqlClientOf = ({ connectionString, sqlUrl }: SqlTruth): SqlClient =>
  createSqlClient({ connectionString, fetchEndpoint: sqlUrl, timeoutMs: 15_000 });
