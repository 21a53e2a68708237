import type { SchemaElement } from "hyparquet";

/** A column of decimals: of so many digits, so many of them after the point. */
export type Decimal = `DECIMAL(${number},${number})`;

interface Digits {
  readonly precision: number;
  readonly scale: number;
}

/** Pure. The digits of a Parquet column of decimals; null for any other column. */
export function digitsOf({
  converted_type: converted,
  logical_type: logical,
  precision = 0,
  scale = 0,
}: SchemaElement): Digits | null {
  if (logical?.type === "DECIMAL") return { precision: logical.precision, scale: logical.scale };
  return converted === "DECIMAL" ? { precision, scale } : null;
}

/** Pure. */
export const decimalOf = ({ precision, scale }: Digits): Decimal =>
  `DECIMAL(${precision},${scale})`;

/** Pure. The digits of a kind; null of one that is no decimal. */
export function readDecimal(kind: string): Digits | null {
  const [, precision, scale] = /^DECIMAL\((\d+),(\d+)\)$/.exec(kind) ?? [];
  return precision === undefined ? null : { precision: Number(precision), scale: Number(scale) };
}

/** Pure. The integer that a Parquet file keeps for a decimal: a number, or bytes, highest first. */
export function unscaledOf(raw: number | bigint | Uint8Array): bigint {
  if (!(raw instanceof Uint8Array)) return BigInt(raw);
  const magnitude = raw.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);
  return BigInt.asIntN(8 * raw.length, magnitude);
}

/** Pure. A decimal in digits, as many after the point as its scale. */
export function decimalText(unscaled: bigint, scale: number): string {
  const [sign, magnitude] = unscaled < 0n ? ["-", -unscaled] : ["", unscaled];
  const digits = String(magnitude).padStart(scale + 1, "0");
  const point = digits.length - scale;
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** Pure. The element of a Parquet schema that holds decimals, in the fewest bytes. */
export function decimalElement(name: string, { precision, scale }: Digits): SchemaElement {
  // A sign and precision · log2(10) bits.
  const bytes = Math.ceil((1 + precision * Math.log2(10)) / 8);
  return {
    name,
    repetition_type: "OPTIONAL",
    converted_type: "DECIMAL",
    logical_type: { type: "DECIMAL", precision, scale },
    precision,
    scale,
    ...(precision <= 9
      ? { type: "INT32" as const }
      : precision <= 18
        ? { type: "INT64" as const }
        : { type: "FIXED_LEN_BYTE_ARRAY" as const, type_length: bytes }),
  };
}
