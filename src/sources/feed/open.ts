import {
  type Access,
  field,
  type Header,
  LOANS,
  type OpenSource,
  type SourceEvent,
  type SourceHead,
  StreamError,
} from '../../../pipelines/model/index.ts';
import { createFlow } from '../../../pipelines/operators/create-flow.ts';
import { loanOf } from '../../lib/lent-buffers.ts';
import { readAnswer } from './answer.ts';
import { type Byteranges, readByteranges } from './byteranges.ts';
import type { Exchange, Listener } from './connection.ts';
import { type Cookies, createCookies } from './cookies.ts';
import { feedError, sayUrl } from './errors.ts';
import { exchange } from './exchange.ts';
import { decodedHead, type Gunzip, gunzip } from './gunzip.ts';
import { createPoolRegistry, type PoolRegistry, type PoolSettings } from './pool-registry.ts';
import { accessAt, feedUrl, redirectUrl } from './redirect.ts';
import { feedRequest } from './request.ts';

export interface FeedSettings extends PoolSettings {
  readonly userAgent: string;
  /** Redirects followed for one request. */
  readonly maxRedirects: number;
  /** Hosts, as URLs spell them, that get the trace context of requests. Default: none. */
  readonly traced?: ReadonlySet<string>;
}

export interface Feed {
  /** Never throws: every problem of a location is an error of the Observable. */
  readonly open: OpenSource;
  /** The connections to each origin. */
  readonly connections: PoolRegistry['usage'];
  /** Ends every connection; running transfers fail. */
  close(): Promise<void>;
}

/**
 * Opens locations at `http:` and `https:` URLs. Emits one head, whatever the state of the valve,
 * then chunks while the valve is open. The socket itself is paused, and chunks are the buffers read
 * from it. Completes after the last byte that the feed announced; errors with a StreamError.
 *
 * Redirects are followed; only the first origin gets the credentials. A cookie that one of them
 * sets goes back to its own origin until the chain ends. Total time is not limited; the caller times
 * silence.
 */
export const createFeed = (settings: FeedSettings): Feed => {
  const registry = createPoolRegistry(settings);

  const open: OpenSource = (location, ask) =>
    createFlow<SourceEvent>((sink) => {
      const access = location.access ?? NO_ACCESS;
      let paused = false;
      let current: Exchange | undefined;
      let decoder: Gunzip | undefined;
      let parts: Byteranges | undefined;
      let cookies: Cookies | undefined;

      const begin = (head: SourceHead, url: URL) => {
        if (!ask.decodes?.(head)) return sink.ahead(head);
        if (ask.method === 'GET')
          decoder = gunzip(sayUrl(url), {
            data: (bytes) => sink.next(chunkOf(bytes)),
            end: () => sink.complete(),
            error: (error) => {
              current?.abort();
              sink.error(error);
            },
            drained: () => {
              if (!paused) current?.resume();
            },
          });
        if (paused) decoder?.pause();
        sink.ahead(decodedHead(head));
      };

      const beginParts = (boundary: string, answer: { status: number; headers: readonly Header[] }, url: URL) => {
        parts = readByteranges(boundary, answer, ask.parts ?? [], url, {
          head: (head) => {
            if (paused) current?.pause();
            sink.ahead(completed(head, location.headers));
          },
          data: (bytes) => sink.next(chunkOf(bytes)),
          error: (error) => {
            current?.abort();
            sink.error(error);
          },
        });
        current?.resume();
      };

      const visit = (url: URL, home: URL, left: number): void => {
        const granted = accessAt(url, home, access);
        let headSeen = false;
        const fail = (error: unknown) => {
          decoder?.close();
          sink.error(feedError(error, url, headSeen));
        };

        const listener: Listener = {
          head: (status, headers) => {
            headSeen = true;
            const answer = readAnswer(status, headers, ask, url);
            if (answer.type === 'head') begin(completed(answer, location.headers), url);
            else if (answer.type === 'parts') beginParts(answer.boundary, { status, headers }, url);
            else if (answer.type === 'nothing-left') {
              sink.ahead(answer.head);
              sink.complete();
            } else if (answer.type === 'refused') sink.error(answer.error);
            else if (left === 0) sink.error(tooMany(location.url, settings.maxRedirects, answer.status));
            else {
              cookies ??= createCookies();
              cookies.keep(url, headers);
              attempt(() => visit(redirectUrl(url, answer.status, answer.location), home, left - 1), fail);
            }
            return answer.type === 'head' || answer.type === 'parts';
          },
          data: (bytes) => {
            if (parts) return parts.write(bytes);
            if (!decoder) return sink.next(chunkOf(bytes));
            current?.pause();
            decoder.write(bytes);
          },
          end: () => {
            parts?.end();
            if (decoder) decoder.end();
            else sink.complete();
          },
          error: fail,
        };
        const told = ask.trace && !settings.traced?.has(url.hostname) ? { ...ask, trace: undefined } : ask;
        const request = feedRequest(url, granted, told, settings.userAgent, cookies?.of(url));
        current = exchange(registry.of(url, granted, home), request, listener, {
          client: ask.client,
          timeoutMs: settings.placeTimeout,
          waits: (waiting) => ask.waits?.(waiting),
          full: () => full(url, settings),
        });
        if (paused) current.pause();
      };

      attempt(
        () => {
          const first = feedUrl(location.url);
          visit(first, access.home === undefined ? first : feedUrl(access.home), settings.maxRedirects);
        },
        (error) => sink.error(error),
      );

      return {
        pause: () => {
          paused = true;
          // The head is delivered whatever the state of the valve.
          if (parts?.hasBegun ?? true) current?.pause();
          decoder?.pause();
        },
        resume: () => {
          paused = false;
          decoder?.resume();
          if (!decoder?.isBusy) current?.resume();
        },
        close: () => {
          current?.abort();
          decoder?.close();
        },
      };
    }, LOANS);

  return { open, connections: registry.usage, close: registry.close };
};

const NO_ACCESS: Access = {};

const chunkOf = (bytes: Uint8Array): SourceEvent => {
  const loan = loanOf(bytes);
  return loan ? { type: 'chunk', bytes, loan } : { type: 'chunk', bytes };
};

/** A head with the fields that it lacks. */
const completed = (head: SourceHead, known: readonly Header[] = []): SourceHead => {
  const missing = known.filter(([name]) => field(head.headers, name.toLowerCase()) === undefined);
  return missing.length === 0 ? head : { ...head, headers: [...head.headers, ...missing] };
};

/** The feed was not asked, so this does not count as its failure. */
const full = ({ origin }: URL, { connections, placeTimeout }: PoolSettings): StreamError =>
  new StreamError(
    'SOURCE_FULL',
    'self',
    `${origin} is at its limit of ${connections} connections (max_connections), and none was free within ${placeTimeout} ms`,
  );

const tooMany = (first: string, most: number, sourceStatus: number): StreamError => {
  const text = `${sayUrl(feedUrl(first))}: too many redirects (max_redirects = ${most})`;
  return new StreamError('TOO_MANY_REDIRECTS', 'feed', text, { sourceStatus });
};

const attempt = (run: () => void, fail: (error: unknown) => void): void => {
  try {
    run();
  } catch (error) {
    fail(error);
  }
};
