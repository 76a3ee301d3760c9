/**
 * Characters that JSON need not escape although they move a terminal's cursor or change the
 * direction of what follows. The first 32 control characters are escaped in all JSON; line ends
 * between its values stay.
 */
const UNSAFE = /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** The same JSON, in which these characters are escaped too. */
export const safeJson = (json: string): string =>
  json.replace(UNSAFE, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
