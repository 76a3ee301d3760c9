import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { type Observable, Subject, Subscription } from 'rxjs';
import type { Loaded, Origins } from '../config/load.ts';
import type { Settings } from '../config/schema.ts';
import { listenAddresses } from '../http/addresses.ts';
import { auth } from '../http/admin/auth.ts';
import { metrics } from '../http/admin/metrics.ts';
import { probes } from '../http/admin/probes.ts';
import { createAdminServer } from '../http/admin/server.ts';
import type { FinishedRequest } from '../lib/finished-request.ts';
import { logFinished, logRefused, setLogLevel } from '../observe/log.ts';
import type { LogOutput } from '../observe/log-output.ts';
import type { InheritedSockets } from '../systemd/sockets.ts';
import { prepareAnswering } from './answering.ts';
import { openAuthorization } from './authorization.ts';
import { openControl } from './control.ts';
import { openDaemonTracing } from './daemon-tracing.ts';
import { listenError } from './listen-error.ts';
import { moveLog } from './log-file.ts';
import { type Reloaded, reloader } from './reload.ts';
import { createServing } from './serving.ts';
import { type OpenStreamer, openStreamer } from './streamer.ts';
import type { Workers } from './workers/master.ts';
import { openWorth } from './worth.ts';

/** A running daemon. */
export interface Daemon extends AsyncDisposable {
  readonly streamer: OpenStreamer;
  readonly addresses: readonly AddressInfo[];
  /**
   * Emits each request once it is over and logged; completes when the daemon has stopped. What
   * observes the daemon subscribes here; no request waits for it.
   */
  readonly finished: Observable<FinishedRequest>;
  /**
   * Reads the configuration again, and applies what a reload can change (`RELOADS`) to requests that
   * begin from now on. Reloads descriptors of alternate sources and the key of signed URLs. Rejects,
   * logs the reason and changes nothing if the configuration cannot be used.
   */
  reload(): Promise<Reloaded>;
  /** The processes that answer requests, if that is not this one. */
  readonly workers?: Workers;
  /**
   * Accepts no more requests, lets running ones end for `stopTimeout` milliseconds, then aborts
   * them and closes everything.
   */
  stop(): Promise<void>;
}

interface Options {
  /** Reads the configuration. Throws a ConfigError if it is not valid. Default: it stays as it is. */
  readonly load?: () => Pick<Loaded, 'settings' | 'warnings'> & { readonly origins: Partial<Origins> };
  /** Where the given settings came from. */
  readonly origins?: Partial<Origins>;
  /** Where the logger writes, if a reload may change that. */
  readonly output?: LogOutput;
  /** Sockets that take the place of the addresses and ports of the settings. */
  readonly sockets?: InheritedSockets;
}

/**
 * Starts the daemon. Sockets that are open already take the place of the addresses and ports of the
 * settings. Rejects, with nothing left open, if an address, a key or a file cannot be used.
 */
export const startDaemon = async (given: Settings, logger: Logger, options: Options = {}): Promise<Daemon> => {
  const { load = () => ({ settings: given, origins, warnings: [] }), origins = {}, output } = options;
  const { sockets = { main: [], admin: [] } } = options;
  /** Changed by a reload alone. */
  const settings = { ...given };
  let authorization = openAuthorization(settings);
  const wanted = sockets.main.length > 0 ? sockets.main : await listenAddresses(settings.interfaces);
  const ownAdmin = settings.adminPort > 0 ? await listenAddresses(settings.adminInterfaces) : [];
  const adminPlaces = sockets.admin.length > 0 ? sockets.admin : ownAdmin;
  // Closes in reverse order: first the listeners, then what they use.
  await using opening = new AsyncDisposableStack();
  const tracing = opening.use(await openDaemonTracing(settings, logger));
  const { options: answered, workers, open } = await prepareAnswering(settings, logger, tracing);
  const live = adminPlaces.length > 0 ? (await import('./live.ts')).openLive(settings, workers?.told) : undefined;
  const worth = opening.use(await openWorth(settings, logger));
  const counter = { ...worth.counter, ...live?.counter };
  const streamer = opening.adopt(await openStreamer(settings, logger, { ...answered, counter }), ({ close }) =>
    close(),
  );
  const finished = opening.adopt(new Subject<FinishedRequest>(), (one) => one.complete());
  finished.subscribe((one) => logFinished(logger, one));
  const watching = opening.adopt(new Subscription(), (one) => one.unsubscribe());
  watching.add(live?.start(streamer, finished));
  worth.start(streamer, finished);
  workers?.own(streamer, worth.adopt);
  const answering = open({ streamer, finished, live, tracing, authorization: () => authorization });
  const { server } = answering;
  const serving = createServing(
    `the catalog is unavailable${settings.catalogType === 'mongodb' ? ': MongoDB does not answer' : ''}`,
    () => workers === undefined || workers.states().length > 0,
  );
  let ready = false;
  watching.add(
    streamer.ready.subscribe((now) => {
      ready = now;
      serving.catalog(now);
    }),
  );
  const reloading = reloader({
    ...{ running: settings, load, origins, logger },
    prepare: (next) => {
      const renewed = openAuthorization(next);
      moveLog(output, next);
      authorization = renewed;
    },
    apply: async () => {
      setLogLevel(logger, settings.logLevel);
      await tracing.renew();
      streamer.reload();
      await answering.renew();
    },
  });
  const measured = live
    ? opening.adopt(await answering.measure({ ready: () => ready, fetched: live.fetched }), (one) => one.close())
    : undefined;
  const degraded = () => [
    ...streamer.degraded(),
    ...(workers?.troubles() ?? []),
    ...[output?.problem()].filter((one) => one !== undefined),
  ];
  const states = probes({ missing: serving.missing, degraded, started: () => serving.started });
  const admin = createAdminServer({
    get hosts() {
      return settings.adminHosts;
    },
    endpoints: [
      ...states,
      ...(measured ? [metrics(measured.scrape)] : []),
      auth({
        enabled: () => authorization.signatures !== undefined,
        clientOf: (asking) => authorization.clientOf(asking),
        check: (target, client) => authorization.signatures?.check(target, client),
        refused: (refused) => logRefused(logger, refused),
      }),
      ...(live?.endpoints ?? []),
    ],
  });
  opening.defer(() => admin.stop(0));
  const adminAddresses = await admin.listen(adminPlaces, settings.adminPort).catch((error: unknown) => {
    throw listenError(error, { port: 'adminPort', interfaces: 'adminInterfaces' });
  });
  let addresses: readonly AddressInfo[] = [];
  const control = await openControl({
    ...{ settings, logger, streamer, serving, server, workers, reloader: reloading, states, degraded },
    listening: () => addresses.map(describeAddress),
  });
  opening.defer(control);
  addresses = await server.listen(wanted, settings.port).catch((error: unknown) => {
    throw listenError(error, { port: 'port', interfaces: 'interfaces' });
  });
  opening.defer(() => server.stop(settings.stopTimeout));
  opening.defer(() => {
    serving.stop();
    streamer.warming?.hold(true);
  });
  serving.listening();
  logger.info({ listening: addresses.map(describeAddress), admin: adminAddresses.map(describeAddress) }, 'ready');
  // A supervisor waits for this line.
  logger.flush();
  // Commands that open no feed do not load this; the first request should not wait for it.
  void import('../sources/feed/open.ts');

  const running = opening.move();
  const stop = () => running.disposeAsync();
  return { streamer, addresses, finished, workers, reload: reloading.reload, stop, [Symbol.asyncDispose]: stop };
};

export const describeAddress = ({ address, port }: AddressInfo): string => `${address} port ${port}`;
