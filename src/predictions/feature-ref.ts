/** Pure. `view:feature` of a name in either of its forms, `view:feature` or `view__feature`. */
export const featureRef = (name: string): string =>
  name.includes(":") ? name : name.replace("__", ":");
