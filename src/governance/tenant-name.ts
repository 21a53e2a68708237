/** Lower-case letters, digits, `_` and `-`; 63 at most. */
export const TENANT_NAME = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** Pure. Whether a text can name a tenant; such names need no escaping in any key. */
export const isTenantName = (text: string): boolean => TENANT_NAME.test(text);
