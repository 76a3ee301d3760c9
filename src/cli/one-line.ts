import { safeJson } from '../lib/safe-json.ts';

/**
 * A text on one line. Documents, repositories and servers may send anything: control characters
 * would move the terminal's cursor, and marks of direction would swap what it shows.
 */
export const oneLine = (text: string): string => text.replace(UNSHOWN, '\u{fffd}');

const UNSHOWN = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

/**
 * A value as JSON that a terminal can show: the same characters are escaped. JSON itself demands
 * that of half of them only.
 */
export const asJson = (value: unknown, space?: number): string => safeJson(JSON.stringify(value, null, space));

/** Fields separated by tabs, on one line. */
export const row = (fields: readonly (string | number)[]): string =>
  `${fields.map((field) => oneLine(String(field))).join('\t')}\n`;
