import { rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { firstValueFrom, Subject, Subscription } from 'rxjs';
import type { HealthChange } from '../../../pipelines/index.ts';
import type { Settings } from '../../config/schema.ts';
import { boundHeap } from '../../lib/bound-heap.ts';
import type { FinishedRequest } from '../../lib/finished-request.ts';
import { messageOf } from '../../lib/thrown.ts';
import { createLogger, logFinished, setLogLevel } from '../../observe/log.ts';
import { openAuthorization } from '../authorization.ts';
import { openDaemonTracing } from '../daemon-tracing.ts';
import { listenError } from '../listen-error.ts';
import { moveLog, openLogFile } from '../log-file.ts';
import { createRequestServer } from '../request-server.ts';
import { openStreamer } from '../streamer.ts';
import { createWorthOf } from '../worth.ts';
import type { MasterCalls, Start, WorkerCalls } from './calls.ts';
import { connectPeer, type Message, type Peer } from './channel.ts';
import { ownerOfTarget } from './owner.ts';
import { remoteEviction, remoteOutbox, remotePlaces } from './remote.ts';
import { createRequests } from './requests.ts';

/** Answers the master until it ends this process, or ends itself. */
export const run = (): void => {
  process.umask(0o077);
  boundHeap();
  let open: Worker | undefined;
  const opened = (): Worker => {
    if (!open) throw new Error('the worker is starting');
    return open;
  };
  const own: WorkerCalls = {
    start: async (start) => {
      open = await openWorker(start, master);
      return open.addresses;
    },
    settings: (settings) => opened().apply(settings),
    reopenLog: () => opened().reopenLog(),
    drain: (draining) => opened().server.drain(draining),
    idle: () => opened().server.idle(),
    load: () => opened().load(),
    metrics: () => opened().metrics(),
    look: (wanted) => opened().live?.look(wanted),
    history: () => opened().live?.history.list() ?? [],
    find: (id) => opened().live?.history.find(id),
    save: (save) => opened().save(save),
    health: (change) => opened().adopt(change),
    stop: (timeoutMs) => opened().server.stop(timeoutMs),
    end: async () => {
      await open?.close();
      // After the answer has left.
      setImmediate(() => process.disconnect());
    },
  };
  const master: Peer<MasterCalls> = connectPeer<MasterCalls, WorkerCalls>(
    {
      send: (message) => process.send?.(message),
      onMessage: (take) => process.on('message', (message: Message) => take(message)),
    },
    own,
  );
  // Without its master it has neither an outbox nor the lock of the state folder.
  process.once('disconnect', () => process.exit());
};

type Worker = Awaited<ReturnType<typeof openWorker>>;

/** Opens the streamer and its server as the daemon does, except for what the master owns. */
const openWorker = async (start: Start, master: Peer<MasterCalls>) => {
  const { index, sockets, family, places, measured } = start;
  /** Changed by a reload alone. */
  const settings = { ...start.settings };
  const workers = sockets.length;
  const output = openLogFile(settings);
  const logger = createLogger(settings.logLevel, output);
  let authorization = openAuthorization(settings);
  await using opening = new AsyncDisposableStack();
  const tracing = opening.use(await openDaemonTracing(settings, logger));
  const outbox = remoteOutbox(master, (error) => logger.error({ error: messageOf(error) }, 'save requests not noted'));
  const owner = { outbox, eviction: remoteEviction(master, Date.now), workers };
  const live = measured ? (await import('./live-of-worker.ts')).createLiveOfWorker(settings, master) : undefined;
  const worth = opening.use(createWorthOf((day) => master.tell('worth', day)));
  const counter = { ...worth.counter, ...live?.counter };
  const streamer = opening.adopt(
    await openStreamer(settings, logger, { owner, family, places: remotePlaces(master), counter }),
    async ({ close }) => {
      await close();
      await outbox.sent();
    },
  );
  const finished = opening.adopt(new Subject<FinishedRequest>(), (one) => one.complete());
  finished.subscribe((one) => logFinished(logger, one));
  const counts = { answered: 0, failed: 0 };
  finished.subscribe(({ status }) => {
    counts.answered += 1;
    if (status >= 500) counts.failed += 1;
  });

  const watching = opening.adopt(new Subscription(), (one) => one.unsubscribe());
  watching.add(live?.start(finished));
  worth.start(streamer, finished);

  let adopting = false;
  streamer.health.changes.subscribe((change) => adopting || master.tell('health', change));
  streamer.refreshes.subscribe((refresh) => master.tell('refreshed', refresh));

  const requests = opening.adopt(createRequests(), ({ close }) => close());
  const naming = () => ({ pathOf: authorization.pathOf, indexNames: settings.indexNames });
  const ownerOf = (target: string): string | undefined => {
    const owner = ownerOfTarget(target, workers, naming()) ?? index;
    return owner === index ? undefined : sockets[owner];
  };
  const { server, limits, renew } = createRequestServer({
    ...{ settings, logger, streamer, finished, live, tracing, relays: { ownerOf, send: requests.send } },
    authorization: () => authorization,
  });
  const relayed = server.forRelays();
  const load = () => ({
    ...{ ...server.load(), paused: server.load().paused + relayed.load().paused },
    ...{ ...counts, degraded: streamer.degraded() },
  });
  const metrics = live
    ? opening.adopt(
        (await import('../metrics.ts')).workerMetrics({
          ...{ streamer, finished, load, limits },
          ...{ ready: () => true, fetched: live.fetched },
        }),
        (one) => one.close(),
      )
    : undefined;

  const own = sockets[index] ?? '';
  rmSync(own, { force: true });
  await relayed.listenAt(own);
  opening.defer(() => relayed.stop(0));
  const addresses: readonly AddressInfo[] = await server.listen(places, 0).catch((error: unknown) => {
    throw listenError(error, { port: 'port', interfaces: 'interfaces' });
  });
  opening.defer(() => server.stop(0));
  void import('../../sources/feed/open.ts');

  const running = opening.move();
  return {
    ...{ addresses, server, load, live },
    apply: async (next: Settings) => {
      authorization = openAuthorization(next);
      moveLog(output, next);
      Object.assign(settings, next);
      setLogLevel(logger, settings.logLevel);
      await tracing.renew();
      renew();
      streamer.reload();
    },
    reopenLog: () => {
      try {
        output.reopen();
      } catch (error) {
        logger.error({ error: messageOf(error) }, 'log file not opened again, the previous one stays in use');
      }
    },
    metrics: async () => metrics?.json() ?? [],
    save: async (save: Parameters<WorkerCalls['save']>[0]) =>
      streamer.save && firstValueFrom(streamer.save(save), { defaultValue: undefined }),
    adopt: (change: HealthChange) => {
      adopting = true;
      streamer.health.adopt(change);
      adopting = false;
    },
    close: () => running.disposeAsync(),
  };
};
