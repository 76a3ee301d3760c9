import { type afterAll, afterEach } from '@jest/globals';
import { type Observable, Subject } from 'rxjs';
import type { Report, StreamEvent } from '../../pipelines/index.ts';
import type { Asking } from '../../src/http/client-address.ts';
import { type Limits, USUAL_LIMITS } from '../../src/http/limits.ts';
import { createHttpServer } from '../../src/http/server.ts';
import type { ClientRequest } from '../../src/http/server-options.ts';
import type { FinishedRequest } from '../../src/lib/finished-request.ts';
import { aCandidate, entryOf, headOf } from './pipeline.ts';

type Answer = (request: ClientRequest, report: (report: Report) => void) => Observable<StreamEvent>;

/** The head of a response with this length. */
export const headWith = (length: number | undefined) =>
  headOf(aCandidate('feed', entryOf('abc')), { length, headers: [] });

/** Starts HTTP servers that answer from a stub, and stops them after each test, or after all. */
export const stubServers = (after: typeof afterEach | typeof afterAll = afterEach) => {
  const stops: (() => Promise<void>)[] = [];
  after(async () => {
    await Promise.all(stops.splice(0).map((stop) => stop()));
  });
  return async (
    answer: Answer,
    limits: Partial<Limits> = {},
    clientOf?: (asking: Asking) => string,
    pathFor?: (target: string) => string,
  ) => {
    const asked: string[] = [];
    const log: FinishedRequest[] = [];
    const finished = new Subject<FinishedRequest>();
    finished.subscribe((one) => log.push(one));
    const server = createHttpServer({
      fetch: (request, report) => {
        asked.push(request.path);
        return answer(request, report);
      },
      finished: (one) => finished.next(one),
      newId: () => 'id',
      now: () => performance.now(),
      identify: { via: false, cacheStatus: false, proxyStatus: false, requestId: false },
      legacyErrors: false,
      clientOf,
      pathFor,
      limits: { ...USUAL_LIMITS, ...limits },
    });
    stops.push(() => server.stop(0));
    const [address] = await server.listen([{ host: '127.0.0.1', ipv6Only: false }], 0);
    return { server, port: address?.port ?? 0, asked, log };
  };
};
