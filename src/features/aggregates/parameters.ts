/** The numbers that make an aggregate: `n`, `precision`, … by name. Part of a specification. */
export type Parameters = Readonly<Record<string, number>>;

/** Pure. A parameter between two bounds; throws a RangeError that names it and them. */
export function checked(parameters: Parameters, name: string, least: number, most: number): number {
  const value = parameters[name];
  if (value !== undefined && value >= least && value <= most) return value;
  throw new RangeError(`"${name}" is a number from ${least} to ${most}, not ${value}`);
}

/** Pure. A whole parameter between two bounds; throws a RangeError that names it and them. */
export function checkedWhole(
  parameters: Parameters,
  name: string,
  least: number,
  most: number,
): number {
  const value = parameters[name];
  if (Number.isInteger(value)) return checked(parameters, name, least, most);
  throw new RangeError(`"${name}" is a whole number from ${least} to ${most}, not ${value}`);
}
