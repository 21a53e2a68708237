import type { Client, Timed } from "./client.ts";

/** A document of the collection `helpdesk`. */
export interface HelpDocument {
  readonly id: string;
  readonly title: string;
  /** Markdown. */
  readonly body: string;
  readonly topic: string;
  /** `en` or `ja`. */
  readonly language: string;
  /** ISO 8601, UTC. */
  readonly updated_at: string;
}

export interface SearchRequest {
  readonly query: string;
  readonly k?: number;
  readonly mode?: "hybrid" | "keyword" | "vector";
  readonly filter?: Readonly<Record<string, unknown>>;
  readonly highlight?: boolean;
}

export interface Hit {
  readonly scores: { readonly bm25: number | null; readonly vector: number | null };
  readonly text: string;
  readonly highlights?: readonly { readonly start: number; readonly end: number }[];
  readonly fields: Pick<HelpDocument, "title" | "language">;
}

export interface SearchAnswer {
  readonly hits: readonly Hit[];
}

/** The help centre in the public HTTP API, as far as the example uses it. */
export interface HelpApi {
  /** Answers how many chunks they are. */
  putAll(documents: readonly HelpDocument[]): Promise<number>;
  put(document: HelpDocument): Promise<Timed<unknown>>;
  remove(id: string): Promise<Timed<unknown>>;
  search(request: SearchRequest): Promise<Timed<SearchAnswer>>;
}

interface DocumentsAnswer {
  readonly results: readonly {
    readonly id: string;
    readonly chunks?: number;
    readonly errors?: readonly { readonly detail: string }[];
  }[];
}

const COLLECTION = "/v1/collections/helpdesk";

/** Throws where a document is rejected: everything that the example sends is in order. */
export function createHelpApi(client: Client): HelpApi {
  const pathOf = (id: string): string => `${COLLECTION}/documents/${encodeURIComponent(id)}`;
  return {
    async putAll(upserts) {
      const path = `${COLLECTION}/documents`;
      const { answer } = await client.ask<DocumentsAnswer>("POST", path, { upserts });
      return answer.results.reduce((sum, { id, chunks, errors }) => {
        if (chunks !== undefined) return sum + chunks;
        throw new Error(`the document "${id}" was rejected: ${errors?.[0]?.detail}`);
      }, 0);
    },
    put: ({ id, ...document }) => client.ask("PUT", pathOf(id), document),
    remove: (id) => client.ask("DELETE", pathOf(id)),
    search: (request) => client.ask("POST", `${COLLECTION}/search`, request),
  };
}
