import { bigint, customType } from "drizzle-orm/pg-core";

/** Text compared byte by byte: the same order on every server, in every index and lock. */
export const text = customType<{ data: string }>({ dataType: () => 'text COLLATE "C"' });
/** Bytes as they are. */
export const bytes = customType<{ data: Uint8Array }>({ dataType: () => "bytea" });
/** Epoch milliseconds, and other numbers below 2^53. */
export const whole = () => bigint({ mode: "number" });
