/**
 * Pure. Whether a text is an origin exactly as browsers send it: scheme, host and, where it is not
 * the scheme's own, port. `null`, wildcards, paths and upper-case hosts are none.
 */
export function isExactOrigin(text: string): boolean {
  if (text.length > 255) return false;
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.origin === text;
}
