/** The order of a sample of entity states: its first ones are the same as long as they are there. */
export const SAMPLE_ORDER = "hashtextextended(entity_key, 0)";

/** The lowest sixteenth of that order (−2^63 + 2^60), which has an index. */
export const LOWEST = `${SAMPLE_ORDER} < -8070450532247928832`;
