import { excerpt } from "./excerpt.ts";
import type { HelpDocument, Hit, SearchAnswer, SearchRequest } from "./help-api.ts";
import type { HelpCentreSent } from "./send-help-centre.ts";
import { duration, grouped, table } from "./words.ts";

type Lines = readonly string[];

const TITLE_COLUMNS = 40;
const TEXT_COLUMNS = 46;

/** Pure. What the help centre holds. */
export function helpCentreHeadline(documents: readonly HelpDocument[]): string {
  const own = documents.filter(({ topic }) => topic === "freshet").length;
  const japanese = documents.filter(({ language }) => language === "ja").length;
  return (
    `A help centre: ${documents.length - japanese - own} articles in English, ${japanese} in ` +
    `Japanese, and ${own} documents of this project`
  );
}

export interface Searched {
  readonly request: SearchRequest;
  readonly answer: SearchAnswer;
}

/**
 * Pure. How soon the help centre could be searched, what its vectors are, and queries with their
 * hits: title, language, the two scores, and where the words are. `model` is the one that embeds
 * where it is deployed.
 */
export function searchLines(
  { chunks, ms }: HelpCentreSent,
  model: string,
  searches: readonly Searched[],
  mark: (word: string) => string,
): Lines {
  const rows = table(
    searches.flatMap(({ answer }) => answer.hits.map((hit, i) => hitRow(hit, i + 1, mark))),
  );
  let at = 0;
  const lines = searches.flatMap(({ request, answer }) => {
    const hits = rows.slice(at, (at += answer.hits.length));
    return [`  “${request.query}”${filterText(request)}`, ...hits.map((hit) => `  ${hit}`)];
  });
  return [
    `Searches by words (BM25) and vectors (cosine) in its ${grouped(chunks)} chunks, all of which ` +
      `could be found after ${duration(ms)}`,
    `  Here, vectors are hashes of words and their parts: spellings, no meanings. Deployed, ${model} ` +
      "makes them.",
    ...lines,
  ];
}

const filterText = ({ filter }: SearchRequest): string =>
  filter === undefined ? "" : ` where ${JSON.stringify(filter)}`;

function hitRow(hit: Hit, rank: number, mark: (word: string) => string): Lines {
  const { scores, fields, text, highlights = [] } = hit;
  return [
    `${rank}  ${excerpt(fields.title, [], TITLE_COLUMNS, mark)}`,
    fields.language,
    `bm25 ${scored(scores.bm25, 1)}`,
    `cos ${scored(scores.vector, 2)}`,
    excerpt(text, highlights, TEXT_COLUMNS, mark),
  ];
}

const scored = (score: number | null, digits: number): string => score?.toFixed(digits) ?? "–";
