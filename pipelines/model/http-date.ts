import { trimBlanks } from './blanks.ts';

const FULL = / GMT$/;
const ASCTIME = /^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4}$/;

/**
 * The time of an HTTP date in one of its three forms, all of which mean GMT (RFC 9110 section
 * 5.6.7), in milliseconds since 1970. Undefined for any other text. A two-digit year below 50 is of
 * this century, so no date is more than 50 years ahead.
 */
export const timeOfHttpDate = (text: string | undefined): number | undefined => {
  if (text === undefined) return undefined;
  const date = trimBlanks(text);
  const time = FULL.test(date) ? Date.parse(date) : ASCTIME.test(date) ? Date.parse(`${date} GMT`) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
};
