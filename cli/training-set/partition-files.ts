import { closeSync, openSync, readSync, writeSync } from "node:fs";

const BUFFER = 64 * 1024;

/** Appends lines to many files at once, each through a small buffer. */
export class LineWriters {
  readonly #files: { readonly fd: number; buffer: string }[];

  constructor(paths: readonly string[]) {
    this.#files = paths.map((path) => ({ fd: openSync(path, "w"), buffer: "" }));
  }

  write(file: number, line: string): void {
    const to = this.#files[file];
    if (to === undefined) throw new RangeError(`there is no file ${file}`);
    to.buffer += `${line}\n`;
    if (to.buffer.length >= BUFFER) this.#flush(to);
  }

  close(): void {
    for (const file of this.#files) {
      this.#flush(file);
      closeSync(file.fd);
    }
  }

  #flush(file: { readonly fd: number; buffer: string }): void {
    const bytes = new TextEncoder().encode(file.buffer);
    for (let at = 0; at < bytes.length;) at += writeSync(file.fd, bytes, at);
    file.buffer = "";
  }
}

/** Reads a file of lines from its beginning, one when it is asked for. */
export class LineReader {
  readonly #fd: number;
  readonly #chunk = new Uint8Array(BUFFER);
  readonly #decoder = new TextDecoder();
  #lines: string[] = [];
  #next = 0;
  #rest = "";

  constructor(path: string) {
    this.#fd = openSync(path, "r");
  }

  /** The next line, or null at the end. */
  next(): string | null {
    while (this.#next >= this.#lines.length) {
      const length = readSync(this.#fd, this.#chunk, 0, BUFFER, null);
      if (length === 0) return null;
      const lines = (
        this.#rest + this.#decoder.decode(this.#chunk.subarray(0, length), { stream: true })
      ).split("\n");
      this.#rest = lines.pop() ?? "";
      this.#lines = lines;
      this.#next = 0;
    }
    return this.#lines[this.#next++] ?? null;
  }

  close(): void {
    closeSync(this.#fd);
  }
}
