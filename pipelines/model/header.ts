/** A header field, its name as spelled by its sender (RFC 9110 section 5.1: case-insensitive). */
export type Header = readonly [name: string, value: string];

/** The first field of a name, given in lower case. */
export const field = (headers: readonly Header[], name: string): string | undefined =>
  headers.find((header) => header[0].length === name.length && header[0].toLowerCase() === name)?.[1];
