import type { Exact } from "../exact.ts";
import { decodeExact, encodeExact } from "../aggregates/exact-codec.ts";
import { decodeValue, encodeValue } from "../aggregates/value-codec.ts";
import type { FieldValue, Observation } from "../aggregates/aggregate.ts";
import { ByteReader, ByteWriter } from "../bytes.ts";
import type { Observations } from "../fold-view.ts";
import { hash64 } from "../hash64.ts";
import type { FoldedEvent } from "./history-log.ts";
import type { ViewPlan } from "../plan.ts";

/** Types 1 to 4 are the value codec's; 0 says that a field has no value that anybody takes. */
const NOTHING = 0;
const VECTOR = 5;

/** Bits of a byte that writes itself as one byte. */
const BITS = 7;

/** Numbers that grow in number, 8 bytes each. */
class Column {
  #values = new Float64Array(16);
  #length = 0;

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const grown = new Float64Array(this.#length * 2);
      grown.set(this.#values);
      this.#values = grown;
    }
    this.#values[this.#length++] = value;
  }

  at(position: number): number {
    return this.#values[position] as number;
  }

  get values(): Float64Array {
    return this.#values.subarray(0, this.#length);
  }
}

/** What is kept of an event besides what the view takes of it. */
export type PackedFacts = Pick<
  FoldedEvent,
  "eventTime" | "knownAt" | "version" | "sign" | "orderKey" | "body"
>;

/** 52 bits, and one more: events of one time are told apart by it. */
function contentHash({ orderKey, body }: PackedFacts): number {
  const { high, low } = hash64(`${orderKey}\n${body}`);
  return high * 2 ** 20 + (low >>> 12) + 1;
}

/**
 * What a view takes of an entity's events, packed: about 50 bytes an event, so that an entity may
 * have a million.
 *
 *     which partials take it (7 bits a byte) · order key · per field: type · value
 *
 * Where events may be taken back, 8 more for each tell which one takes back which.
 */
export class PackedEvents {
  readonly #partials: number;
  /** Per partial, which of the distinct fields it takes; −1 takes events. */
  readonly #fieldOf: readonly number[];
  readonly #fields: number;
  readonly #writer = new ByteWriter();
  readonly #ends = new Column();
  readonly #times = new Column();
  readonly #known = new Column();
  readonly #versions = new Column();
  /** What of the event's content and sign matching needs; of views of signed events alone. */
  readonly #contents: Column | null;
  #retractions = 0;
  #packed: Uint8Array | null = null;

  constructor({ partials, isSigned }: Pick<ViewPlan, "partials" | "isSigned">) {
    this.#contents = isSigned ? new Column() : null;
    const names = partials.flatMap(({ field }) => (field === null ? [] : [field.name]));
    const distinct = [...new Set(names)];
    this.#partials = partials.length;
    this.#fields = distinct.length;
    this.#fieldOf = partials.map(({ field }) =>
      field === null ? -1 : distinct.indexOf(field.name),
    );
  }

  /** Event times, epoch ms. */
  get times(): Float64Array {
    return this.#times.values;
  }

  /** When each event was known, epoch ms. */
  get known(): Float64Array {
    return this.#known.values;
  }

  get versions(): Float64Array {
    return this.#versions.values;
  }

  /** Hashes of what tells which events take back which; negative for a retraction, never 0. */
  get contents(): Float64Array {
    return this.#contents?.values ?? new Float64Array(0);
  }

  /** Whether any event takes another back. */
  get hasRetractions(): boolean {
    return this.#retractions > 0;
  }

  add(event: PackedFacts, observations: Observations): void {
    const writer = this.#writer;
    const values: (FieldValue | undefined)[] = [];
    let order = "";
    for (let from = 0; from < this.#partials; from += BITS) {
      let bits = 0;
      for (let at = from; at < Math.min(from + BITS, this.#partials); at += 1) {
        const seen = observations[at] ?? null;
        if (seen === null) continue;
        bits |= 1 << (at - from);
        ({ order } = seen);
        const field = this.#fieldOf[at] as number;
        if (field >= 0) values[field] = seen.value;
      }
      writer.uint(bits);
    }
    writer.text(order);
    for (let field = 0; field < this.#fields; field += 1) packValue(writer, values[field]);
    this.#times.push(event.eventTime);
    this.#known.push(event.knownAt);
    this.#versions.push(event.version);
    if (this.#contents !== null) {
      this.#contents.push(event.sign * contentHash(event));
      if (event.sign === -1) this.#retractions += 1;
    }
    this.#ends.push(writer.length);
    this.#packed = null;
  }

  /** What the partials take of the event at a position. */
  observationsAt(position: number): Observations {
    return this.readAt(position).observations;
  }

  /** The same, and the event's order key. */
  readAt(position: number): { readonly order: string; readonly observations: Observations } {
    const packed = (this.#packed ??= this.#writer.view());
    const from = position === 0 ? 0 : this.#ends.at(position - 1);
    const reader = new ByteReader(packed, from);
    const bits: number[] = [];
    for (let at = 0; at < this.#partials; at += BITS) bits.push(reader.uint());
    const order = reader.text();
    const time = this.#times.at(position);
    const values: (FieldValue | undefined)[] = [];
    for (let field = 0; field < this.#fields; field += 1) values.push(unpackValue(reader));
    const observations = this.#fieldOf.map((field, at): Observation | null => {
      if (((bits[Math.floor(at / BITS)] as number) & (1 << (at % BITS))) === 0) return null;
      return { value: field < 0 ? true : (values[field] as FieldValue), time, order };
    });
    return { order, observations };
  }
}

function packValue(writer: ByteWriter, value: FieldValue | undefined): void {
  if (value === undefined) return writer.uint(NOTHING);
  if (!Array.isArray(value)) return encodeValue(writer, value);
  const vector = value as readonly Exact[];
  writer.uint(VECTOR);
  writer.uint(vector.length);
  for (const one of vector) encodeExact(writer, one);
}

function unpackValue(reader: ByteReader): FieldValue | undefined {
  const type = reader.uint();
  if (type === NOTHING) return undefined;
  if (type !== VECTOR) return decodeValue(reader, type);
  return Array.from({ length: reader.uint() }, () => decodeExact(reader));
}
