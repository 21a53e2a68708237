import { readArticles } from "../../local/demo/help-centre/articles.ts";
import { readProjectDocuments } from "../../local/demo/project-documents.ts";
import { putAll, type SearchBench } from "./open-search.ts";
import { timeModes, type Size, type TimedMode } from "./time-modes.ts";

export interface HelpCentre {
  readonly documents: number;
  readonly chunks: number;
  readonly timed: readonly TimedMode[];
}

/** Searches of the example's help centre; its articles' titles are the queries. */
export async function measureHelpCentre(bench: SearchBench, size: Size): Promise<HelpCentre> {
  const articles = readArticles();
  const documents = [...articles, ...(await readProjectDocuments())];
  await putAll(bench, "helpdesk", documents);
  const [row] = await bench.sql.query(
    "SELECT count(*)::int AS chunks FROM search_chunks WHERE tenant = $1 AND index_id ~ '^helpdesk@'",
    [bench.worker.tenant],
  );
  const questions = articles.map(({ title }) => ({ query: title }));
  return {
    documents: documents.length,
    chunks: Number(row?.["chunks"]),
    timed: await timeModes(bench, "helpdesk", questions, null, size),
  };
}
