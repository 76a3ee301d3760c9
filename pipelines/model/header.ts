/**
 * A header field. Its name is spelled as its sender did (case-insensitive, RFC 9110 section 5.1).
 */
export type Header = readonly [name: string, value: string];

/** The value of the first field with this name. `name` is in lower case. */
export const field = (headers: readonly Header[], name: string): string | undefined =>
  headers.find((header) => header[0].length === name.length && header[0].toLowerCase() === name)?.[1];
