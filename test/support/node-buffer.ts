/** Node's Buffer with its type, which the Worker's global types hide. */
export const NodeBuffer = Buffer as BufferConstructor;
