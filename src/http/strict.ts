import type { IncomingMessage } from 'node:http';
import { StreamError } from '../../pipelines/model/index.ts';
import type { ConnectionLimits } from './limits.ts';
import { restoreTarget } from './raw-targets.ts';

/** `uri-host [":" port]`, or empty (RFC 9110 section 7.2, RFC 3986 section 3.2.2). */
const HOST = /^(\[[\w.:~!$&'()*+,;=%-]*\]|[\w.~!$&'()*+,;=%-]*)(:\d*)?$/;

const bad = (message: string): StreamError => new StreamError('BAD_REQUEST', 'client', message);

const hostsOf = ({ rawHeaders }: IncomingMessage): readonly string[] =>
  rawHeaders.filter((_, index) => index % 2 === 1 && isHost(rawHeaders[index - 1]));

const isHost = (name: string | undefined): boolean => name?.length === 4 && name.toLowerCase() === 'host';

/**
 * Whether the request has content (RFC 9112 section 6): data after its head that is not the next
 * request.
 */
const hasContent = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) !== 0;

/**
 * The fault of a request that Node's parser accepted, if any. Node checks the framing of messages:
 * line ends, field names, lengths and codings. It accepts versions that do not exist, uses the
 * first of several hosts, and leaves content to the application. Content of a GET or HEAD has no
 * use, but can smuggle requests past proxies (RFC 9110 section 9.3.1).
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
      `the target has ${url.length} bytes (max_target_length = ${targetLength})`,
    );
  const hosts = hostsOf(req);
  if (hosts.length > 1) return bad(`expected one Host, found ${hosts.length}`);
  if (hosts.length === 0 && httpVersion === '1.1') return bad('expected a Host, found none');
  if (hosts.some((host) => !HOST.test(host)))
    return bad(`malformed Host ${JSON.stringify(hosts[0])}; expected HOST or HOST:PORT`);
  if (hasContent(req)) return new StreamError('UNEXPECTED_CONTENT', 'client', 'expected a request without content');
  // HTTP/1.0 is older than the field, and must ignore it (RFC 9110 section 10.1.1).
  if (httpVersion === '1.1' && headers.expect !== undefined && headers.expect.toLowerCase() !== '100-continue')
    return new StreamError('UNKNOWN_EXPECTATION', 'client', `expected 100-continue, found ${headers.expect}`);
  return undefined;
};

/** A method and the target, as far as it has arrived. */
const REQUEST_LINE = /^[\r\n]*[A-Z-]+ ([^ ]*)/;

/** The fault of input that Node's parser rejected; `undefined` if the connection itself failed. */
export const faultOfParser = (
  error: NodeJS.ErrnoException & { readonly rawPacket?: Buffer },
  { targetLength }: Pick<ConnectionLimits, 'targetLength'>,
): StreamError | undefined => {
  const { code = '', message, rawPacket } = error;
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT')
    return new StreamError('REQUEST_TIMEOUT', 'client', 'the request was not complete within request_timeout');
  if (!code.startsWith('HPE_')) return undefined;
  if (code !== 'HPE_HEADER_OVERFLOW') return bad(`${message} (${code})`);
  // Node only reports that the head is too large. If the target is the cause, it is mostly in the
  // last packet.
  const [, target = ''] = REQUEST_LINE.exec(rawPacket?.toString('latin1') ?? '') ?? [];
  return restoreTarget(target).length > targetLength
    ? new StreamError(
        'TARGET_TOO_LONG',
        'client',
        `the target has too many bytes (max_target_length = ${targetLength})`,
      )
    : new StreamError('HEAD_TOO_LARGE', 'client', 'the head of the request exceeds max_header_size');
};
