import type { Benchmark, BenchmarkResult } from "./benchmark.ts";
import { CRANFIELD, measureAbstracts, SCIFACT } from "./search/abstracts.ts";
import { measureHelpCentre } from "./search/help-centre.ts";
import { measureJsquad } from "./search/jsquad.ts";
import { openSearch } from "./search/open-search.ts";
import {
  helpCentreLines,
  jsquadLines,
  qualityFindings,
  abstractsLines,
  timeFindings,
} from "./search/report.ts";

const QUESTIONS = 1_000;
const SMALL =
  "Larger sets (SciFact, and JSQuAD for Japanese) are measured on a server or with --full.";

export const search: Benchmark = {
  name: "search",
  meaning:
    "POST …/search over HTTP, beside the very statements that it sends, sent by a bare Worker in " +
    "the same workerd with the same driver: 1.00 would mean that checking the caller, analysing " +
    "and embedding the query, and printing took no time. Then time and quality beside what " +
    "Postgres and pgvector do by themselves, and keyword hits beside Lucene's.",
  async run(say, { full }): Promise<BenchmarkResult> {
    const bench = await openSearch();
    try {
      const thorough = full || bench.stores.isServer;
      const size = thorough ? { rounds: 10, calls: 30 } : { rounds: 6, calls: 15 };
      const helpCentre = await measureHelpCentre(bench, size);
      say([bench.stores.description, "", ...helpCentreLines(helpCentre), ""]);
      const abstracts = await measureAbstracts(bench, thorough ? SCIFACT : CRANFIELD, size);
      say([...abstractsLines(abstracts), ""]);
      const jsquad = thorough ? await measureJsquad(bench, QUESTIONS) : undefined;
      say([...(jsquad === undefined ? [SMALL] : jsquadLines(jsquad)), ""]);
      return {
        findings: [
          ...timeFindings("help centre", helpCentre.timed),
          ...(abstracts === null
            ? []
            : [...timeFindings(abstracts.name, abstracts.timed), ...qualityFindings(abstracts)]),
        ],
        data: { helpCentre, abstracts, jsquad },
      };
    } finally {
      await bench.close();
    }
  },
};
