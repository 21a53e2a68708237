const encoder = new TextEncoder();

/** Appends the parts of a state to a growing buffer. */
export class ByteWriter {
  #bytes = new Uint8Array(512);
  #length = 0;

  #reserve(extra: number): void {
    if (this.#length + extra <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + extra));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
  }

  /** A whole number from 0 to 2^53, 7 bits a byte, lowest first. */
  uint(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** A whole number between −2^52 and 2^52. */
  int(value: number): void {
    this.uint(value >= 0 ? value * 2 : -value * 2 - 1);
  }

  /** A whole number of any size. */
  big(value: bigint): void {
    let rest = value < 0n ? -value : value;
    const bytes: number[] = [];
    for (; rest > 0n; rest >>= 8n) bytes.push(Number(rest & 0xffn));
    this.uint(bytes.length * 2 + (value < 0n ? 1 : 0));
    this.raw(Uint8Array.from(bytes));
  }

  text(value: string): void {
    const encoded = encoder.encode(value);
    this.uint(encoded.length);
    this.raw(encoded);
  }

  /** Bytes as they are; whoever reads them knows how many. */
  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  /** How many bytes there are so far. */
  get length(): number {
    return this.#length;
  }

  /** Forgets all but the first so many bytes. */
  rewind(length: number): void {
    this.#length = length;
  }

  /** What is there so far, not copied: it holds until more is written. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** How many bytes of text are read faster one by one than by the decoder. */
const SHORT = 16;

/** Reads what a ByteWriter wrote, in the same order; throws a RangeError past the end. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #at: number;

  constructor(bytes: Uint8Array, from = 0, to = bytes.length) {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = to;
  }

  get done(): boolean {
    return this.#at >= this.#end;
  }

  uint(): number {
    let byte = this.#byte();
    let value = byte & 0x7f;
    // As long as bits suffice: engines keep small integers apart from doubles.
    for (let shift = 7; byte >= 0x80 && shift <= 21; shift += 7) {
      byte = this.#byte();
      value |= (byte & 0x7f) << shift;
    }
    for (let factor = 2 ** 28; byte >= 0x80; factor *= 0x80) {
      byte = this.#byte();
      value += (byte & 0x7f) * factor;
    }
    return value;
  }

  int(): number {
    const value = this.uint();
    if (value < 2 ** 28) return (value >>> 1) ^ -(value & 1);
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  big(): bigint {
    const head = this.uint();
    const bytes = this.raw(Math.floor(head / 2));
    let value = 0n;
    for (let i = bytes.length - 1; i >= 0; i -= 1) value = (value << 8n) | BigInt(bytes[i] ?? 0);
    return head % 2 === 1 ? -value : value;
  }

  text(): string {
    const length = this.uint();
    return this.#shortAscii(length) ?? decoder.decode(this.raw(length));
  }

  /** A short text of ASCII, for which the decoder takes several times as long; else null. */
  #shortAscii(length: number): string | null {
    const end = this.#at + length;
    if (length > SHORT || end > this.#end) return null;
    let text = "";
    for (let at = this.#at; at < end; at += 1) {
      const byte = this.#bytes[at] as number;
      if (byte >= 0x80) return null;
      text += String.fromCharCode(byte);
    }
    this.#at = end;
    return text;
  }

  /** That many bytes as they are: a view of the reader's own. */
  raw(length: number): Uint8Array {
    if (this.#at + length > this.#end) throw new RangeError("a state ends early");
    const taken = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    return taken;
  }

  /** Passes over `raw` bytes, a `text` or the magnitude of a `big` without building it. */
  skip(length: number): void {
    this.#at += length;
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new RangeError("a state ends early");
    return this.#bytes[this.#at++] as number;
  }
}

/** Not every runtime has these yet, and the types of some know nothing of them. */
const native = Uint8Array as unknown as {
  readonly fromBase64?: (text: string) => Uint8Array;
  readonly prototype: { readonly toBase64?: (this: Uint8Array) => string };
};

/** Pure. The bytes of base64 text; native where the runtime has it. Throws on other text. */
export function fromBase64(text: string): Uint8Array {
  if (native.fromBase64 !== undefined) return native.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i += 1) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

const paddingOf = (base64: string): number =>
  base64.endsWith("==") ? 2 : base64.endsWith("=") ? 1 : 0;

/**
 * Pure. A reader for each of several base64 texts with padding, over one buffer: to make a buffer
 * for each takes longer than to read it. Throws on other text.
 */
export function readersOf(texts: readonly string[]): readonly ByteReader[] {
  // Four characters are three bytes, so that texts of whole fours can be decoded as one.
  const filled = texts.map((text) => {
    const padding = paddingOf(text);
    return padding === 0 ? text : text.slice(0, -padding) + "A".repeat(padding);
  });
  const bytes = fromBase64(filled.join(""));
  let from = 0;
  const readers = texts.map((text) => {
    const size = (text.length / 4) * 3;
    const reader = new ByteReader(bytes, from, from + size - paddingOf(text));
    from += size;
    return reader;
  });
  if (from === bytes.length && texts.every(({ length }) => length % 4 === 0)) return readers;
  throw new RangeError("a state is not whole");
}

/** Pure. Base64 with padding. */
export function toBase64(bytes: Uint8Array): string {
  if (native.prototype.toBase64 !== undefined) return native.prototype.toBase64.call(bytes);
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary);
}
