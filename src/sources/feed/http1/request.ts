import type { Header } from '../../../../pipelines/model/index.ts';
import type { FeedRequest } from '../request.ts';
import { Http1Error } from './errors.ts';

const NAME = /^[!#$%&'*+\-.^_`|~\da-zA-Z]+$/;
const VALUE = /^[\t -~\x80-\xff]*$/;

/** Fields of the connection, or of a body: a source's own header fields cannot set them. */
const RESERVED: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
]);

/** The head of a request, as Latin-1 text. Throws SOURCE_BROKEN for a field that cannot be sent. */
export const requestText = ({ method, url, headers, more }: FeedRequest): string => {
  const known = written.get(headers);
  const fields = known ?? linesOf(headers);
  if (known === undefined) written.set(headers, fields);
  const host = fields.includes('\nhost: ') ? '' : `host: ${url.host}\r\n`;
  return `${method} ${url.pathname}${url.search} HTTP/1.1\r\n${host}connection: keep-alive${fields}${linesOf(more)}\r\n\r\n`;
};

const written = new WeakMap<readonly Header[], string>();

/** Each on a line, which begins with the end of the previous one. */
const linesOf = (headers: readonly Header[]): string => {
  let text = '';
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    if (!NAME.test(name))
      throw new Http1Error('SOURCE_BROKEN', `invalid name of a header field: ${JSON.stringify(name)}`);
    if (RESERVED.has(lower)) throw new Http1Error('SOURCE_BROKEN', `invalid ${lower} header`);
    if (!VALUE.test(value)) throw new Http1Error('SOURCE_BROKEN', `invalid ${name} header`);
    text += `\r\n${lower === 'host' ? lower : name}: ${value}`;
  }
  return text;
};
