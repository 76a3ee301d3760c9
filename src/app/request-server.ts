import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Logger } from 'pino';
import type { Subject } from 'rxjs';
import type { Progress, Report } from '../../pipelines/index.ts';
import type { Settings } from '../config/schema.ts';
import { askedAs } from '../http/asked-as.ts';
import { handOverTo } from '../http/hand-over.ts';
import type { Limits } from '../http/limits.ts';
import { createHttpServer, type StreamerServer } from '../http/server.ts';
import type { ServerOptions } from '../http/server-options.ts';
import type { FinishedRequest } from '../lib/finished-request.ts';
import { openFilesLimit } from '../lib/open-files.ts';
import type { Authorization } from './authorization.ts';
import type { DaemonTracing } from './daemon-tracing.ts';
import { fitOpenFiles, limitsOf } from './http-limits.ts';
import type { Live } from './live.ts';
import { tunnelSettings, tunnelsOf } from './proxy-tunnels.ts';
import { renewable } from './renewable.ts';
import type { OpenStreamer } from './streamer.ts';

export interface RequestServerParts {
  /** May be changed by a reload. */
  readonly settings: Settings;
  readonly logger: Logger;
  readonly streamer: OpenStreamer;
  readonly authorization: () => Authorization;
  /** Gets each request once it is over. */
  readonly finished: Subject<FinishedRequest>;
  readonly live?: Pick<Live, 'enter'>;
  readonly tracing: Pick<DaemonTracing, 'begin' | 'finish'>;
  /** Default: this process answers all requests. */
  readonly relays?: ServerOptions['relays'];
}

/** The server of clients' requests, and the limits that it keeps. */
interface RequestServer {
  readonly server: StreamerServer;
  readonly limits: Limits;
  /** Applies settings that a reload has changed. */
  renew(): void;
}

export const createRequestServer = (all: RequestServerParts): RequestServer => {
  const { settings, logger, authorization, finished, tracing, relays, ...parts } = all;
  const limits = { ...usableLimits(settings, logger) };
  const handOver = renewable(
    () => settings.sendfileProxies,
    (proxies) => (proxies.length > 0 ? handOverTo(proxies) : undefined),
  );
  const askedUnder = renewable(() => ({ publicUrl: settings.publicUrl, trusted: settings.trustedProxies }), askedAs);
  const tunnels = renewable(() => tunnelSettings(settings), tunnelsOf);
  const server = createHttpServer({
    fetch: fetching({ tracing, ...parts }),
    clientOf: (asking) => authorization().clientOf(asking),
    pathFor: (target, client) => authorization().pathFor(target, client),
    askedAs: (asking, paths) => askedUnder.value(asking, paths),
    get handOverFor() {
      return handOver.value;
    },
    get tunnels() {
      return tunnels.value;
    },
    finished: (one) => finished.next(tracing.finish(one)),
    newId: randomUUID,
    now: () => performance.now(),
    identify: settings,
    get legacyErrors() {
      return settings.legacyErrors;
    },
    ...{ limits, relays },
  });
  const renew = () => {
    Object.assign(limits, usableLimits(settings, logger));
    server.retime();
    handOver.renew();
    askedUnder.renew();
    tunnels.renew();
  };
  return { server, limits, renew };
};

/** The events of a request, with those who watch it. */
const fetching = ({
  streamer,
  live,
  tracing,
}: Pick<RequestServerParts, 'streamer' | 'live' | 'tracing'>): ServerOptions['fetch'] => {
  const enter = live?.enter;
  return (request, report) => {
    const { context, reported } = tracing.begin(request) ?? {};
    const made = reported
      ? (one: Report) => {
          reported(one);
          report(one);
        }
      : report;
    const watch = enter && ((progress: Progress) => enter(request, progress));
    return streamer.fetchLent(request.path, { ...request, ...context, report: made, watch });
  };
};

const usableLimits = (settings: Settings, logger: Logger): Limits => {
  const openFiles = openFilesLimit();
  const wanted = limitsOf(settings);
  const limits = fitOpenFiles(wanted, openFiles);
  const { connections, transfers } = limits;
  // A limit that was lifted is meant to be as high as the system allows.
  if (connections < wanted.connections || transfers < wanted.transfers)
    logger.warn({ openFiles, connections, transfers }, 'limits lowered, the limit of open files is too low for them');
  return limits;
};
