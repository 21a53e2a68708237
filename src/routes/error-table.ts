import type { ErrorCode } from "../errors.ts";

interface ErrorText {
  readonly title: string;
  /** What it means and what to do. */
  readonly meaning: string;
}

/** The closed table of codes in words, for problems, for the API's description and for /docs/errors. */
export const ERROR_TEXT: Readonly<Record<ErrorCode, ErrorText>> = {
  invalid_request: {
    title: "The request is malformed",
    meaning: "The body, a parameter or a header is not as described; `errors` names each field.",
  },
  unauthorized: {
    title: "Not identified",
    meaning:
      "There is no API key or signature, or it is not valid. Nothing of the request was read.",
  },
  forbidden: {
    title: "Not allowed",
    meaning: "The key is valid, and no role of it grants this action on this resource.",
  },
  not_found: {
    title: "Not found",
    meaning: "There is no such route, definition or document, or not for this tenant.",
  },
  conflict: {
    title: "In conflict",
    meaning:
      "It was changed by somebody else meanwhile, or exists already: read again, then repeat.",
  },
  payload_too_large: {
    title: "Too large",
    meaning:
      "The body, before or after decompression, or the number of its records is over a limit.",
  },
  unsupported_media_type: {
    title: "Unsupported media type",
    meaning: "The Content-Type or the Content-Encoding is none that this route reads.",
  },
  unprocessable: {
    title: "Cannot be processed",
    meaning:
      "The request is well formed and asks for what there is not; `errors` names each field.",
  },
  too_many_requests: {
    title: "Too many requests",
    meaning: "Repeat after the seconds in Retry-After.",
  },
  internal: {
    title: "Internal error",
    meaning: "A fault of the service, logged under `request_id`. Nothing about it is said here.",
  },
  dependency_unavailable: {
    title: "A store is unavailable",
    meaning:
      "A store or the embedder does not answer, or a store is being filled. Repeating is safe; see " +
      "Retry-After.",
  },
  timeout: {
    title: "Out of time",
    meaning: "A store or the embedder took longer than its deadline. Repeating is safe.",
  },
};
