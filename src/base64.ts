/** Pure. Base64 with padding. */
export function encodeBase64(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}

/** Pure. Base64url without padding. */
export function encodeBase64Url(bytes: Uint8Array): string {
  return encodeBase64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/**
 * Pure. The bytes of canonical base64, or null: spaces, missing padding, the other alphabet and
 * stray bits in the last character are refused, so that two texts never mean the same bytes.
 */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | null {
  const bytes = decodeLoosely(text);
  return bytes !== null && encodeBase64(bytes) === text ? bytes : null;
}

/** Pure. The bytes of canonical base64url without padding, or null; as strict as decodeBase64. */
export function decodeBase64Url(text: string): Uint8Array<ArrayBuffer> | null {
  const bytes = decodeLoosely(text.replaceAll("-", "+").replaceAll("_", "/"));
  return bytes !== null && encodeBase64Url(bytes) === text ? bytes : null;
}

function decodeLoosely(text: string): Uint8Array<ArrayBuffer> | null {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    return null;
  }
}
