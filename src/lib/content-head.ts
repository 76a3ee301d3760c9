import {
  type Ask,
  type ErrorSource,
  field,
  type Header,
  holds,
  resolveRange,
  type SourceHead,
  StreamError,
} from '../../pipelines/model/index.ts';
import { asksRange } from './asks-range.ts';

/** Content whose length and header fields are known before it is read. */
export interface KnownContent {
  /** For messages. */
  readonly name: string;
  readonly length: number;
  /** The fields that describe it. */
  readonly fields: readonly Header[];
  /** Where its failures arise. */
  readonly source: ErrorSource;
}

/**
 * The head that a web server would send. If `If-Range` does not hold, it is that of the whole
 * content (RFC 9110 section 13.1.5). An error with UNSATISFIABLE if the content lacks what is asked.
 */
export const contentHead = ({ name, length, fields, source }: KnownContent, ask: Ask): SourceHead | StreamError => {
  const tag = field(fields, 'etag');
  // A weak tag proves nothing about bytes.
  const etag = tag?.startsWith('"') ? tag : undefined;
  const asked = asksRange(ask) && holds(ask.ifRange, { etag, lastModified: field(fields, 'last-modified') });
  const part = asked ? resolveRange({ first: ask.from, last: ask.last }, length) : undefined;
  // A range that starts at the very end is empty, which is not an error.
  if (asked && !part && ask.from !== length && length > 0)
    return new StreamError('UNSATISFIABLE', source, `${name} has only ${length} bytes`, { length });
  const { first: from, last } = part ?? { first: asked ? length : 0, last: length - 1 };
  const headers: readonly Header[] = [['Content-Length', String(last + 1 - from)], ...fields];
  return { type: 'head', headers, length, from, ...(last < length - 1 && { last }), etag };
};
