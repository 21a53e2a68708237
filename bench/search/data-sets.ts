import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

export interface Text {
  readonly id: string;
  readonly title?: string;
  readonly text: string;
}

/** A document that Lucene found. */
export interface Found {
  readonly id: string;
  readonly score: number;
}

/** A collection with queries, what is relevant to each, and what Lucene 8.7 finds for it. */
export interface DataSet {
  readonly documents: readonly Text[];
  readonly queries: readonly Text[];
  /** Query → relevant document → gain. */
  readonly relevant: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Query → Lucene's documents, best first; equal scores by id. */
  readonly lucene: ReadonlyMap<string, readonly Found[]>;
}

const DATA = join(import.meta.dirname, "../../../shared/data");

/** Why there is no such set. */
export const ABSENT = "skipped: needs ../shared/data";

/** A set of `name` with Lucene's results in `run`; null where the machine does not have it. */
export function readSet(name: string, run: string): DataSet | null {
  const directory = join(DATA, name);
  if (!existsSync(directory)) return null;
  const read = (file: string): Buffer => readFileSync(join(directory, file));
  const rows = (text: string): readonly (readonly string[])[] =>
    text
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t"));
  const texts = (file: string): readonly Text[] =>
    read(file)
      .toString()
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Text);
  const judged = Map.groupBy(rows(read("qrels.tsv").toString()), ([query = ""]) => query);
  const found = Map.groupBy(rows(gunzipSync(read(run)).toString()), ([query = ""]) => query);
  return {
    documents: texts("corpus.jsonl"),
    queries: texts("queries.jsonl"),
    relevant: mapValues(judged, (of) => new Map(of.map(([, id = "", gain]) => [id, Number(gain)]))),
    lucene: mapValues(found, (of) =>
      of.map(([, id = "", , score]) => ({ id, score: Number(score) })),
    ),
  };
}

/** The rows of a matrix of float32 in NumPy's format, in the order of the set's texts. */
export function readVectors(name: string, file: string): readonly (readonly number[])[] {
  const bytes = readFileSync(join(DATA, name, file));
  const headerEnd = 10 + bytes.readUInt16LE(8);
  const [, columns = "1"] = /, (\d+)\)/.exec(bytes.subarray(10, headerEnd).toString()) ?? [];
  const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset + headerEnd));
  return Array.from({ length: values.length / Number(columns) }, (_, row) =>
    Array.from(values.subarray(row * Number(columns), (row + 1) * Number(columns))),
  );
}

const mapValues = <V, W>(map: ReadonlyMap<string, V>, value: (v: V) => W): Map<string, W> =>
  new Map([...map].map(([key, v]) => [key, value(v)]));
