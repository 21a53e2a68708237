import { isUtf8 } from "node:buffer";
import { createReadStream } from "node:fs";
import { NodeBuffer } from "../../local/node-buffer.ts";
import { UsageError } from "../args.ts";

const NEWLINE = 10;

/** Pure. How many of the bytes are whole characters: the last one may go on in the next piece. */
function wholeLength(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if ((byte & 0xc0) === 0x80) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
    return length > back ? bytes.length - back : bytes.length;
  }
  return bytes.length;
}

/** Pure. How many lines end before the first one that is not UTF-8, or in all. */
function goodLines(bytes: Buffer): number {
  let lines = 0;
  for (let from = 0; ; lines += 1) {
    const end = bytes.indexOf(NEWLINE, from);
    if (end < 0 || !isUtf8(bytes.subarray(from, end))) return lines;
    from = end + 1;
  }
}

/**
 * The bytes of a text file, in pieces of whole characters. Throws a UsageError where they are not
 * UTF-8: a key with another letter in it would be another entity's.
 */
export async function* readUtf8(path: string): AsyncGenerator<Buffer> {
  let [line, isBegun] = [1, false];
  let rest: Buffer = NodeBuffer.alloc(0);
  const checked = (bytes: Buffer): Buffer => {
    if (!isUtf8(bytes)) throw refused(path, line + goodLines(bytes), !isBegun && isUtf16(bytes));
    for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) line += 1;
    isBegun ||= bytes.length > 0;
    return bytes;
  };
  for await (const piece of createReadStream(path) as AsyncIterable<Buffer>) {
    const bytes = rest.length === 0 ? piece : NodeBuffer.concat([rest, piece]);
    const length = wholeLength(bytes);
    rest = bytes.subarray(length);
    yield checked(bytes.subarray(0, length));
  }
  if (rest.length > 0) checked(rest);
}

/** Pure. Whether the file begins with the byte order mark of UTF-16. */
const isUtf16 = ([first, second]: Buffer): boolean =>
  (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);

const refused = (path: string, line: number, is16: boolean): UsageError =>
  is16
    ? new UsageError(
        `${path} is UTF-16, as Excel's "Unicode Text" is: save it as "CSV UTF-8", or convert it ` +
          "with iconv -f UTF-16 -t UTF-8",
      )
    : new UsageError(
        `${path}:${line}: the line is not UTF-8: save the file as UTF-8, or convert it from what ` +
          "it is, as with iconv -f WINDOWS-1252 -t UTF-8",
      );
