import { type Header, trimBlanks } from '../../../../pipelines/model/index.ts';
import { malformed } from './errors.ts';

/** The head of a response. */
export interface Head {
  readonly status: number;
  readonly headers: readonly Header[];
  /** The version is HTTP/1.0. */
  readonly isOld: boolean;
}

/** The most bytes of a head, and of a trailer section. */
export const LONGEST_HEAD = 16 * 1024;

// RFC 9112 sections 4 and 5. A bare LF, a folded line and whitespace before the colon are refused:
// where parsers differ, one response can be read as two.
// A later minor version reads like 1.1 (RFC 9110 section 2.5).
const STATUS_LINE = String.raw`HTTP/1\.\d [1-9]\d\d(?: [\t -~\x80-\xff]*)?\r\n`;
const FIELD_LINE = String.raw`[!#$%&'*+\-.^_\`|~\da-zA-Z]+:[\t -~\x80-\xff]*\r\n`;
const LINES = new RegExp(`^${STATUS_LINE}(?:${FIELD_LINE})*(\r\n)?`);
const WHOLE = new RegExp(`^${STATUS_LINE}(?:${FIELD_LINE})*\r\n$`);
const FIELDS = new RegExp(`^(?:${FIELD_LINE})*\r\n$`);

const START = 'HTTP/1.';
const END = Buffer.from('\r\n\r\n');

/**
 * Where the head at the beginning of these bytes ends; -1 if more of it is to come. Throws if it is
 * too long, or if it is wrong already: a peer that speaks another protocol may send no more.
 */
export const endOfHead = (bytes: Buffer): number => {
  const end = bytes.indexOf(END);
  if ((end < 0 ? bytes.length : end) > LONGEST_HEAD)
    throw malformed(`the response’s head is longer than ${LONGEST_HEAD} bytes`);
  if (end >= 0) return end + END.length;
  const text = bytes.toString('latin1');
  const lines = text.slice(0, text.lastIndexOf('\n') + 1);
  if (lines === '' ? !text.startsWith(START.slice(0, text.length)) : LINES.exec(lines)?.[0] !== lines)
    throw malformed(complaint(lines === '' ? text : lines));
  return -1;
};

/** Reads a whole head, its empty line included. */
export const readHead = (text: string): Head => {
  if (!WHOLE.test(text)) throw malformed(complaint(text));
  return {
    status: Number(text.slice(9, 12)),
    headers: fieldsOf(text, text.indexOf('\n') + 1),
    isOld: text[7] === '0',
  };
};

/** Throws unless this is a valid trailer section, its empty line included (RFC 9112 section 7.1.2). */
export const checkTrailers = (text: string): void => {
  if (!FIELDS.test(text)) throw malformed('a trailer field is malformed');
};

/** Names and values in order, with their original spelling. The lines are known to be valid. */
const fieldsOf = (text: string, first: number): Header[] => {
  const fields: Header[] = [];
  for (let at = first; text.charCodeAt(at) !== 13; ) {
    const colon = text.indexOf(':', at);
    const end = text.indexOf('\r', colon);
    fields.push([text.slice(at, colon), trimBlanks(text, colon + 1, end)]);
    at = end + 2;
  }
  return fields;
};

/** The first wrong line, shortened: it may be anything that the peer sent. */
const complaint = (text: string): string => {
  const [valid = ''] = LINES.exec(text) ?? [];
  const [line = ''] = text.slice(valid.length).split('\n', 1);
  const shown = line.slice(0, 60).replace(/[^ -~]/g, '\u{fffd}');
  return `the response’s head has a malformed line: “${shown}${line.length > 60 ? '…' : ''}”`;
};
