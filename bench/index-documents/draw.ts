import { readArticles } from "../../local/demo/help-centre/articles.ts";
import { readProjectDocuments } from "../../local/demo/project-documents.ts";
import { createRandom } from "../../local/demo/random.ts";

/** A document as it is sent. */
export interface Drawn {
  readonly id: string;
  readonly title: string;
  readonly body: string;
  readonly topic: string;
}

const WORDS = 450;
/** Names and numbers that hardly any other document has, as real ones have them. */
const RARE = 8;

/** Draws documents of some 450 words from sentences of the help centre and of this project. */
export async function drawDocuments(seed: string): Promise<() => Drawn> {
  const pages = readArticles().filter(({ language }) => language === "en");
  const texts = [...pages, ...(await readProjectDocuments())];
  const sentences = texts
    .flatMap(({ body }) => body.split(/(?<=[.!?])\s+/))
    .filter((sentence) => sentence.length > 20);
  const random = createRandom(seed);
  let drawn = 0;
  return () => {
    drawn += 1;
    const body: string[] = [];
    for (let words = 0; words < WORDS;) {
      const sentence = random.pick(sentences);
      words += sentence.split(/\s+/).length;
      body.push(sentence);
    }
    for (let i = 0; i < RARE; i += 1) {
      body.splice(random.int(0, body.length), 0, `See order ${random.int(1e6, 1e7)}.`);
    }
    const { title, topic } = random.pick(texts);
    return { id: `${seed}-${drawn}`, title, topic, body: body.join(" ") };
  };
}
