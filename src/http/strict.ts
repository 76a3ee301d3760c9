import type { IncomingMessage } from 'node:http';
import { StreamError } from '../../pipelines/model/index.ts';
import type { ConnectionLimits } from './limits.ts';

/** `uri-host [":" port]`, or nothing (RFC 9110 section 7.2, RFC 3986 section 3.2.2). */
const HOST = /^(\[[\w.:~!$&'()*+,;=%-]*\]|[\w.~!$&'()*+,;=%-]*)(:\d*)?$/;

const bad = (message: string): StreamError => new StreamError('BAD_REQUEST', 'client', message);

const hostsOf = ({ rawHeaders }: IncomingMessage): readonly string[] =>
  rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === 'host');

/** Bytes of a request's head as clients usually write it. */
export const sizeOf = ({ url = '', rawHeaders }: IncomingMessage): number =>
  rawHeaders.reduce((sum, { length }) => sum + length + 2, url.length + 17);

/** The request has content (RFC 9112 section 6): something follows its head that is no request. */
const hasContent = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;

/**
 * What is wrong with a request that Node's parser let pass, if anything. Node is right about the framing of messages (line ends, field
 * names, lengths, codings); it does not mind versions that do not exist, takes the first of several hosts, and leaves content to us:
 * content that a GET or HEAD has no use for is how requests are smuggled past proxies (RFC 9110 section 9.3.1).
 */
export const faultOf = (
  req: IncomingMessage,
  { targetLength }: Pick<ConnectionLimits, 'targetLength'>,
): StreamError | undefined => {
  const { httpVersion, url = '', headers } = req;
  if (httpVersion !== '1.0' && httpVersion !== '1.1')
    return new StreamError('WRONG_VERSION', 'client', `expected HTTP/1.0 or HTTP/1.1, found HTTP/${httpVersion}`);
  if (url.length > targetLength)
    return new StreamError(
      'TARGET_TOO_LONG',
      'client',
      `the target has ${url.length} bytes, more than ${targetLength}`,
    );
  const hosts = hostsOf(req);
  if (hosts.length > 1) return bad(`expected one Host, found ${hosts.length}`);
  if (hosts.length === 0 && httpVersion === '1.1') return bad('expected a Host, found none');
  if (hosts.some((host) => !HOST.test(host))) return bad(`${JSON.stringify(hosts[0])} is no host`);
  if (hasContent(req)) return new StreamError('UNEXPECTED_CONTENT', 'client', 'expected a request without content');
  // Where it is older than the field, the version forbids to heed it (RFC 9110 section 10.1.1).
  if (httpVersion === '1.1' && headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue')
    return new StreamError('UNKNOWN_EXPECTATION', 'client', `expected 100-continue, found ${headers.expect}`);
  return undefined;
};

/** A method and, as far as it has come, a target. */
const REQUEST_LINE = /^[\r\n]*[A-Z-]+ ([^ ]*)/;

/** What is wrong with what Node's parser did not let become a request; `undefined` where it is the connection itself that broke. */
export const faultOfParser = (
  error: NodeJS.ErrnoException & { readonly rawPacket?: Buffer },
  { targetLength }: Pick<ConnectionLimits, 'targetLength'>,
): StreamError | undefined => {
  const { code = '', message, rawPacket } = error;
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new StreamError('REQUEST_TIMEOUT', 'client', 'the request did not come in time');
  if (!code.startsWith('HPE_')) return undefined;
  if (code !== 'HPE_HEADER_OVERFLOW') return bad(`${message} (${code})`);
  // Node says no more than that the head is too large. Mostly the target, where it is why, is in what came last.
  const [, target = ''] = REQUEST_LINE.exec(rawPacket?.toString('latin1') ?? '') ?? [];
  return target.length > targetLength
    ? new StreamError('TARGET_TOO_LONG', 'client', `the target has more than ${targetLength} bytes`)
    : new StreamError('HEAD_TOO_LARGE', 'client', 'the head of the request is larger than is allowed');
};
