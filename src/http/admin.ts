import type { IncomingMessage, ServerResponse } from 'node:http';
import { ERRORS, type StreamError, statusOf, toStreamError } from '../../pipelines/model/index.ts';
import { refusalOf } from './admin-access.ts';
import type { Asking } from './client-address.ts';
import { identify } from './identify.ts';
import { USUAL_LIMITS } from './limits.ts';
import { createListeners, type HttpServer } from './listeners.ts';
import { errorAsText } from './respond-briefly.ts';
import { targetOf } from './target.ts';

interface AdminOptions {
  /** Names in lower case by which it may be asked, in addition to addresses and `localhost`. */
  readonly hosts?: readonly string[];
  /** Whether requests can be served now. */
  readonly ready: () => boolean;
  /** What does not work at present although requests can be served; one line for each. */
  readonly degraded?: () => readonly string[];
  /** The client of the proxy that sends the request. */
  readonly clientOf: (asking: Asking) => string;
  /**
   * Throws a StreamError if a target is not signed for the client. Absent if URLs are not checked.
   */
  readonly check?: (target: string, client: string) => void;
  /** Called with every target that was refused. */
  readonly refused: (refused: {
    readonly target: string;
    readonly client: string;
    readonly error: StreamError;
  }) => void;
}

type Answer = readonly [status: number, text?: string];

/**
 * The endpoints for supervisors, load balancers and proxies. They have their own listener, so that
 * no path of the catalog is mistaken for one of them:
 * - `/livez` is 200 as long as the process answers;
 * - `/readyz` is 200 while the catalog is available, otherwise 503. Its text names what else does
 *   not work, such as saving;
 * - `/auth` exists if URLs are checked. It is 204 if the URI in the header `X-Original-URI` is
 *   signed for the client, otherwise 403. Without that header it is 400.
 *
 * Over TCP it only reads: nothing here changes the daemon.
 */
export const createAdminServer = (options: AdminOptions): HttpServer => {
  const { hosts = [], ready, degraded = () => [], check } = options;
  const answers = new Map<string, (req: IncomingMessage) => Answer>([
    ['/livez', () => [200, 'alive']],
    [
      '/readyz',
      () => [ready() ? 200 : 503, [ready() ? 'ready' : 'the catalog is unavailable', ...degraded()].join('\n')],
    ],
    ...(check ? [['/auth', (req: IncomingMessage) => authorize(req, check, options)] as const] : []),
  ]);
  const expected = [...answers.keys()].join(', ').replace(/, ([^,]*)$/, ' or $1');
  return createListeners(USUAL_LIMITS, {
    exchange: (req, res, fault) => ({
      answer: () => {
        const [path = ''] = (req.url ?? '').split('?', 1);
        // A proxy passes on the Origin of its client. Other pages cannot send what `/auth` requires,
        // X-Original-URI, without the permission that OPTIONS does not give.
        const access = { names: hosts, anyOrigin: path === '/auth' };
        const refusal = fault ? answerOf(fault) : refusalOf(req, access);
        respond(res, refusal ?? answers.get(path)?.(req) ?? [404, `expected ${expected}`]);
      },
    }),
    refuse: (fault) => errorAsText(fault, SILENT),
  });
};

/** These responses do not report how they came about. */
const SILENT = {
  identity: identify('', { via: false, cacheStatus: false, proxyStatus: false, requestId: false }),
  legacyErrors: false,
};

const answerOf = ({ code }: StreamError): Answer => [statusOf(code), ERRORS[code].meaning];

const respond = (res: ServerResponse, [status, text]: Answer): void => {
  res.writeHead(status, {
    ...(text !== undefined && { 'Content-Type': 'text/plain; charset=utf-8' }),
    ...(status === 405 && { Allow: 'GET, HEAD' }),
    'Cache-Control': 'no-store',
    // Other pages must not embed it as a script, a style or a picture either.
    'Cross-Origin-Resource-Policy': 'same-origin',
    'X-Content-Type-Options': 'nosniff',
  });
  res.end(text && `${text}\n`);
};

const authorize = (
  req: IncomingMessage,
  check: (target: string, client: string) => void,
  { clientOf, refused }: AdminOptions,
): Answer => {
  const uri = req.headers['x-original-uri']?.toString();
  if (uri === undefined)
    return [400, 'expected the header X-Original-URI: path and query of the URL that the client asks for'];
  const target = targetOf(uri);
  const client = clientOf(req);
  try {
    check(target, client);
    return [204];
  } catch (thrown) {
    const error = toStreamError(thrown);
    refused({ target, client, error });
    return answerOf(error);
  }
};
