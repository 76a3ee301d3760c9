import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Logger } from 'pino';
import { type Observable, Subject, Subscription } from 'rxjs';
import type { Report } from '../../pipelines/index.ts';
import type { Settings } from '../config/schema.ts';
import { listenAddresses } from '../http/addresses.ts';
import { auth } from '../http/admin/auth.ts';
import { metrics } from '../http/admin/metrics.ts';
import { probes } from '../http/admin/probes.ts';
import { createAdminServer } from '../http/admin/server.ts';
import { askedAs } from '../http/asked-as.ts';
import { handOverTo } from '../http/hand-over.ts';
import type { Limits } from '../http/limits.ts';
import { createHttpServer } from '../http/server.ts';
import type { FinishedRequest } from '../lib/finished-request.ts';
import { openFilesLimit } from '../lib/open-files.ts';
import { messageOf } from '../lib/thrown.ts';
import { logFinished, logRefused } from '../observe/log.ts';
import type { InheritedSockets } from '../systemd/sockets.ts';
import { type Authorization, openAuthorization } from './authorization.ts';
import { checkTracing } from './check-tracing.ts';
import { fitOpenFiles, limitsOf } from './http-limits.ts';
import type { DaemonParts } from './metrics.ts';
import { type OpenStreamer, openStreamer } from './streamer.ts';

export interface Daemon {
  readonly streamer: OpenStreamer;
  readonly addresses: readonly AddressInfo[];
  /**
   * Emits each request once it is over and logged; completes when the daemon has stopped. What
   * observes the daemon subscribes here; no request waits for it.
   */
  readonly finished: Observable<FinishedRequest>;
  /** Reloads descriptors of alternate sources and the key of signed URLs, in the background. */
  reload(): void;
  /**
   * Accepts no more requests, lets running ones end for `stopTimeout` milliseconds, then aborts
   * them and closes everything.
   */
  stop(): Promise<void>;
}

/**
 * Starts the daemon. Sockets that are open already take the place of the addresses and ports of the
 * settings. Rejects, with nothing left open, if an address, a key or a file cannot be used.
 */
export const startDaemon = async (
  settings: Settings,
  logger: Logger,
  sockets: InheritedSockets = { main: [], admin: [] },
): Promise<Daemon> => {
  const authorization = openAuthorization(settings);
  const { clientOf, signatures } = authorization;
  const wanted = sockets.main.length > 0 ? sockets.main : await listenAddresses(settings.interfaces);
  const ownAdmin = settings.adminPort > 0 ? await listenAddresses(settings.adminInterfaces) : [];
  const adminPlaces = sockets.admin.length > 0 ? sockets.admin : ownAdmin;
  // Closes in reverse order: first the listeners, then what they use.
  await using opening = new AsyncDisposableStack();
  const tracing = opening.use(await traced(settings, logger));
  const live = adminPlaces.length > 0 ? (await import('./live.ts')).createLive(settings) : undefined;
  const observers = { around: tracing?.delivering, counting: live?.counting };
  const streamer = opening.adopt(await openStreamer(settings, logger, observers), ({ close }) => close());
  const finished = opening.adopt(new Subject<FinishedRequest>(), (one) => one.complete());
  finished.subscribe((one) => logFinished(logger, one));
  const watching = opening.adopt(new Subscription(), (one) => one.unsubscribe());
  watching.add(live?.start(streamer, finished));
  const limits = usableLimits(settings, logger);
  const server = createHttpServer({
    fetch: (request, report) => {
      const { context, reported } = tracing?.begin(request) ?? {};
      const made = reported
        ? (one: Report) => {
            reported(one);
            report(one);
          }
        : report;
      const events = streamer.fetchLent(request.path, { ...request, ...context, report: made });
      return live ? live.watched(request, events) : events;
    },
    clientOf,
    pathFor: authorization.pathFor,
    askedAs: askedAs({ publicUrl: settings.publicUrl, trusted: settings.trustedProxies }),
    handOverFor: settings.sendfileProxies.length > 0 ? handOverTo(settings.sendfileProxies) : undefined,
    finished: (one) => finished.next(tracing ? tracing.finish(one) : one),
    newId: randomUUID,
    now: () => performance.now(),
    identify: settings,
    legacyErrors: settings.legacyErrors,
    limits,
  });
  let ready = false;
  watching.add(
    streamer.ready.subscribe((now) => {
      ready = now;
    }),
  );
  const measured =
    adminPlaces.length > 0
      ? opening.adopt(
          await measuring({ settings, streamer, finished, load: server.load, limits, ready: () => ready }),
          (one) => one.close(),
        )
      : undefined;
  const admin = createAdminServer({
    hosts: settings.adminHosts,
    endpoints: [
      ...probes({ ready: () => ready, degraded: streamer.degraded }),
      ...(measured ? [metrics(measured.scrape)] : []),
      ...(signatures
        ? [auth({ clientOf, check: signatures.check, refused: (refused) => logRefused(logger, refused) })]
        : []),
      ...(live?.endpoints ?? []),
    ],
  });
  opening.defer(() => admin.stop(0));
  const adminAddresses = await admin.listen(adminPlaces, settings.adminPort);
  const addresses = await server.listen(wanted, settings.port);
  opening.defer(() => server.stop(settings.stopTimeout));
  logger.info({ listening: addresses.map(describeAddress), admin: adminAddresses.map(describeAddress) }, 'ready');
  // A supervisor waits for this line.
  logger.flush();
  // Commands that open no feed do not load this; the first request should not wait for it.
  void import('../sources/feed/open.ts');

  const running = opening.move();
  return {
    streamer,
    addresses,
    finished,
    reload: () => {
      streamer.alternates.reload();
      reloadKey(authorization, logger);
    },
    stop: () => running.disposeAsync(),
  };
};

/** OpenTelemetry is loaded only if it is used. */
const traced = async (settings: Settings, logger: Logger) => {
  checkTracing(settings);
  return settings.traces ? (await import('./tracing.ts')).daemonTracing(logger) : undefined;
};

/** Nothing of this, or of the live page, is loaded unless there is a listener to ask. */
const measuring = async (parts: DaemonParts) => (await import('./metrics.ts')).daemonMetrics(parts);

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

export const describeAddress = ({ address, port }: AddressInfo): string => `${address} port ${port}`;

const reloadKey = ({ signatures }: Authorization, logger: Logger): void => {
  try {
    signatures?.reload();
    if (signatures) logger.info('key of signed URLs reloaded');
  } catch (error) {
    logger.error({ error: messageOf(error) }, 'key of signed URLs not reloaded, the previous one stays in use');
  }
};
