/**
 * A text on one line. Documents, repositories and servers may send anything: control characters
 * would move the terminal's cursor, and marks of direction would swap what it shows.
 */
export const oneLine = (text: string): string => text.replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, '\u{fffd}');

/** Fields separated by tabs, on one line. */
export const row = (fields: readonly (string | number)[]): string =>
  `${fields.map((field) => oneLine(String(field))).join('\t')}\n`;
