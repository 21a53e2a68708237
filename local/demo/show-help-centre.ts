import { helpdesk } from "../../definitions/collections.ts";
import type { HelpApi, HelpDocument, SearchRequest } from "./help-api.ts";
import { readArticles } from "./help-centre/articles.ts";
import { readProjectDocuments } from "./project-documents.ts";
import { emphasised, type Screen } from "./screen.ts";
import { helpCentreHeadline, searchLines } from "./search-report.ts";
import { sendHelpCentre } from "./send-help-centre.ts";

/** In other words than those of the articles that they are to find. */
const SEARCHES: readonly SearchRequest[] = [
  { query: "when does the shop send my money back" },
  { query: "留守で荷物を受け取れなかった" },
  { query: "what if Redis loses everything", filter: { topic: "freshet" } },
];

/** Sends the help centre, this project's own documents among it, and shows what searches find. */
export async function showHelpCentre(
  api: HelpApi,
  screen: Screen,
  say: (lines: readonly string[]) => void,
): Promise<readonly HelpDocument[]> {
  const documents = [...readArticles(), ...(await readProjectDocuments())];
  say([helpCentreHeadline(documents)]);
  const sent = await sendHelpCentre(api, screen, documents);
  const searched = await Promise.all(
    SEARCHES.map(async (asked) => {
      const request = { ...asked, k: 3, highlight: true };
      return { request, answer: (await api.search(request)).answer };
    }),
  );
  const { embedder } = helpdesk;
  const model = "model" in embedder ? embedder.model : embedder.kind;
  say(searchLines(sent, model, searched, (word) => emphasised(screen, word)));
  return documents;
}
