/** A unit's key, in Pulp's field names. It is unique among the units of a type. */
export type UnitKey = Readonly<Record<string, string | number>>;

/** The key's fields in the order in which Pulp reads them: by name. */
export const sortedFields = (key: UnitKey): [name: string, value: string | number][] =>
  Object.entries(key).sort(([a], [b]) => (a < b ? -1 : 1));

/** The key as JSON. Equal keys give equal texts. */
export const keyText = (key: UnitKey): string => JSON.stringify(Object.fromEntries(sortedFields(key)));
