/** Where the example writes. */
export interface Screen {
  readonly print: (line: string) => void;
  /** Shows a line in place of the one drawn before; absent where the output is no terminal. */
  readonly draw?: ((line: string) => void) | undefined;
}

/** A screen over an output stream; draws where that is a terminal. */
export function screenOf(stream: NodeJS.WriteStream): Screen {
  return {
    print: (line) => void stream.write(`${line}\n`),
    ...(stream.isTTY && { draw: (line: string) => void stream.write(`\r\u001B[K${line}`) }),
  };
}

/** Pure. A word that stands out: bold on a terminal, in «guillemets» elsewhere. */
export const emphasised = ({ draw }: Screen, word: string): string =>
  draw === undefined ? `«${word}»` : `\u001B[1m${word}\u001B[22m`;
