/** A line that is not blank, as far as it matters where text is cut. */
export interface Line {
  /** Of what is written, without the white space around it. */
  readonly start: number;
  readonly end: number;
  readonly afterBlank: boolean;
  /** 1 to 6 in a Markdown heading, else 0. */
  readonly heading: number;
  /** A code fence, a list item or a table begins here. */
  readonly opens: boolean;
}

/** Lines that belong together, the last included: fenced code, a list or a table. */
export interface Block {
  readonly from: number;
  readonly to: number;
}

const LINE = /([^\r\n]*)(?:\r\n|\r|\n|$)/g;
const HEADING = /^ {0,3}(#{1,6})(?:[ \t]|$)/;
const UNDERLINE = /^ {0,3}(?:=+|--+)[ \t]*$/;
const FENCE = /^\s*(`{3,}(?=[^`]*$)|~{3,})/;
const ITEM = /^\s*(?:[-*+•]\s|・|\d{1,9}[.)]\s)/;
const INDENTED = /^\s/;

/** Pure. The lines and blocks of Markdown or plain text; a list may hold fenced code. */
export function readLines(text: string): {
  readonly lines: readonly Line[];
  readonly blocks: readonly Block[];
} {
  const lines: Line[] = [];
  const [fences, lists, tables] = [collectBlocks(), collectBlocks(), collectBlocks()];
  let fence: { readonly mark: string; readonly listed: boolean } | null = null;
  let afterBlank = true;
  for (const { 1: content = "", index } of text.matchAll(LINE)) {
    const written = content.trim();
    if (written === "") {
      afterBlank = true;
      continue;
    }
    const at = lines.length;
    const start = index + content.indexOf(written);
    const line = { start, end: start + written.length, afterBlank, heading: 0, opens: false };
    if (fence !== null) {
      lines.push(line);
      fences.add(at);
      if (fence.listed) lists.add(at);
      if (closes(written, fence.mark)) fence = null;
    } else {
      const mark = FENCE.exec(content)?.[1];
      const heading = HEADING.exec(content)?.[1]?.length ?? 0;
      const item = ITEM.test(content);
      const plain = !afterBlank && heading === 0 && mark === undefined;
      const listed = item || (lists.isOpen() && (plain || INDENTED.test(content)));
      const row = content.includes("|");
      const opens = mark !== undefined || item || (row && (afterBlank || !tables.isOpen()));
      lines.push({ ...line, heading, opens });
      if (listed) lists.add(at);
      else lists.end();
      if (row) tables.add(at, afterBlank);
      else tables.end();
      if (mark !== undefined) fence = { mark, listed };
      if (mark !== undefined) fences.add(at, true);
      if (plain && !listed && UNDERLINE.test(content)) underline(lines);
    }
    afterBlank = false;
  }
  return { lines, blocks: [fences, lists, tables].flatMap(({ blocks }) => blocks) };
}

function collectBlocks() {
  const blocks: { from: number; to: number }[] = [];
  let open = false;
  return {
    blocks,
    isOpen: () => open,
    add(line: number, anew = false): void {
      const last = blocks.at(-1);
      if (open && !anew && last !== undefined) last.to = line;
      else blocks.push({ from: line, to: line });
      open = true;
    },
    end(): void {
      open = false;
    },
  };
}

const closes = (written: string, mark: string): boolean =>
  written.length >= mark.length && written === mark.charAt(0).repeat(written.length);

/** The last line underlines the one before it, if that stands alone: both are the heading. */
function underline(lines: Line[]): void {
  const [title, rule] = lines.slice(-2);
  if (title === undefined || rule === undefined || !title.afterBlank) return;
  if (title.heading !== 0 || title.opens) return;
  lines.splice(-2, 2, { ...title, heading: 2 }, { ...rule, heading: 2 });
}
