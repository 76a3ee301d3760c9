import { identify } from '../identify.ts';
import { USUAL_LIMITS } from '../limits.ts';
import { createListeners, type HttpServer } from '../listeners.ts';
import { errorAsText } from '../respond-briefly.ts';
import { CHANGING, READING, refusalOf } from './access.ts';
import { type Endpoint, errorAnswer, respond } from './endpoint.ts';

interface AdminOptions {
  /** Names in lower case by which it may be asked, in addition to addresses and `localhost`. */
  readonly hosts?: readonly string[];
  readonly endpoints: readonly Endpoint[];
  /** Those that change something, asked with POST: only for a listener that not everybody can reach. */
  readonly changing?: readonly Endpoint[];
  /** Bytes of path and query. Default: as for clients. */
  readonly targetLength?: number;
}

/**
 * The listener for those who operate the daemon, and for proxies. It is one of its own, so that no
 * path of the catalog is mistaken for an endpoint.
 *
 * Over TCP it only reads: what changes the daemon is on the control socket alone. `hosts` is read
 * for each request: it may change.
 */
export const createAdminServer = (options: AdminOptions): HttpServer => {
  const { endpoints, changing = [], targetLength = USUAL_LIMITS.targetLength } = options;
  const byPath = new Map([...endpoints, ...changing].map((endpoint) => [endpoint.path, endpoint]));
  const listed = [...byPath.values()].filter((endpoint) => endpoint.listed ?? true).map(({ path }) => path);
  const expected = listed.join(', ').replace(/, ([^,]*)$/, ' or $1');
  const headerSize = USUAL_LIMITS.headerSize + targetLength;
  return createListeners(
    { ...USUAL_LIMITS, targetLength, headerSize },
    {
      exchange: (req, res, fault) => ({
        answer: () => {
          const [path = ''] = (req.url ?? '').split('?', 1);
          const endpoint = byPath.get(path);
          const methods = endpoint && changing.includes(endpoint) ? CHANGING : READING;
          const access = { names: options.hosts ?? [], anyOrigin: endpoint?.anyOrigin ?? false, methods };
          const refusal = fault ? errorAnswer(fault) : refusalOf(req, access);
          if (refusal) respond(res, refusal, refusal[0] === 405 ? { Allow: methods.join(', ') } : {});
          else if (endpoint) endpoint.answer(req, res);
          else respond(res, [404, `expected ${expected}`]);
        },
      }),
      refuse: (fault) => errorAsText(fault, SILENT),
    },
  );
};

/** These responses do not report how they came about. */
const SILENT = {
  identity: identify('', { via: false, cacheStatus: false, proxyStatus: false, requestId: false }),
  legacyErrors: false,
};
