import { html, raw } from "hono/html";
import type { ERROR_STATUS, ErrorCode } from "../errors.ts";
import { ERROR_TEXT } from "./error-table.ts";

type Html = ReturnType<typeof html>;

interface Operation {
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
}

interface Described {
  readonly info: { readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** Pure. The endpoints of an API description as a plain list. */
export function endpointList(openApi: string): Html {
  const { info, paths } = JSON.parse(openApi) as Described;
  const endpoints = Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(
      ([method, { summary, description = "" }]) => html`
        <dt><code>${method.toUpperCase()} ${path}</code></dt>
        <dd>${summary}. ${description}</dd>
      `,
    ),
  );
  return html`
    <main style="max-width: 48rem; margin: 2rem auto; font: 1rem/1.5 system-ui, sans-serif">
      <h1>Freshet API</h1>
      <p>${info.description}</p>
      <p>
        This is the plain list; a reader to try things out with appears when its script loads. The
        whole description is <a href="/openapi.json">openapi.json</a>, the errors are
        <a href="/docs/errors">here</a>.
      </p>
      <dl>${endpoints}</dl>
    </main>
  `;
}

/** Pure. The table of error codes as a page; each has an anchor. */
export function errorList(statuses: typeof ERROR_STATUS): Html {
  const rows = (Object.keys(statuses) as ErrorCode[]).map(
    (code) => html`
      <dt id="${code}"><code>${code}</code>, ${statuses[code]}: ${ERROR_TEXT[code].title}</dt>
      <dd>${ERROR_TEXT[code].meaning}</dd>
    `,
  );
  return html`${raw("<!doctype html>")}
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Freshet API: errors</title>
      </head>
      <body style="max-width: 48rem; margin: 2rem auto; font: 1rem/1.5 system-ui, sans-serif">
        <h1>Errors</h1>
        <dl>${rows}</dl>
      </body>
    </html>`;
}
