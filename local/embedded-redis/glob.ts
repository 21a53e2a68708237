/** Pure. A pattern of KEYS and SCAN as a regular expression. */
export function glob(pattern: string): RegExp {
  const source = pattern.replace(
    /\\(.)|\[(\^?)((?:\\.|[^\]])*)\]|[*?]|[.+^${}()|\\/[\]]/gs,
    (found, escaped?: string, not?: string, set?: string) => {
      if (escaped !== undefined) return escaped.replace(/\W/, "\\$&");
      if (set !== undefined) return set === "" ? "(?!)" : `[${not}${set.replaceAll("[", "\\[")}]`;
      return { "*": ".*", "?": "." }[found] ?? `\\${found}`;
    },
  );
  return new RegExp(`^${source}$`, "s");
}
