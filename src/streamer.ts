import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { EMPTY, ignoreElements, type Observable, Subject } from 'rxjs';
import { createHealth, type Delivery, deliverSaves, type Policy } from '../pipelines/index.ts';
import { openSqliteCatalog, type SqliteCatalog } from './catalog/sqlite.ts';
import { composeStreamer, type Streamer } from './compose.ts';
import type { Settings } from './config/schema.ts';
import { type DurableOutbox, openOutbox } from './dispatch/outbox.ts';
import { createSaveStore } from './dispatch/save.ts';
import { maskUrl } from './observe/mask.ts';
import { version } from './package.ts';
import { feedCandidates } from './sources/feed-candidates.ts';
import { createSources } from './sources/open.ts';

export interface OpenStreamer extends Streamer {
  readonly catalog: SqliteCatalog;
  /** Where wishes to save wait; absent where `dispatch` is `none`. */
  readonly outbox?: DurableOutbox;
  /** Emits what came of each delivery of a save, as it happens; completes when closed. */
  readonly deliveries: Observable<Delivery>;
  /** Stops delivering, lets copies in the making end, closes files and connections. Running transfers fail. */
  close(): Promise<void>;
}

interface Options {
  /** Whether wishes to save are noted and delivered: what the daemon does, and a single command leaves to it. Default: true. */
  readonly delivering?: boolean;
}

/** Deliveries of saves at once, and how patient they are: a saved copy that waits harms nobody. */
const DELIVERY = { concurrency: 2, wait: 1_000, waitLimit: 300_000, random: Math.random };

/**
 * Opens the embedded streamer that the settings describe: catalog, sources, saved copies and the outbox, with its deliveries
 * running in the background. Rejects, with nothing left open, where a file or folder cannot be had.
 */
export const openStreamer = async (
  settings: Settings,
  logger: Logger,
  { delivering: delivers = true }: Options = {},
): Promise<OpenStreamer> => {
  await mkdir(settings.stateDir, { recursive: true, mode: 0o750 });
  const catalog = openSqliteCatalog(settings.catalog);
  const sources = createSources({
    userAgent: `pulp-streamer/${version}`,
    maxRedirects: settings.maxRedirects,
    connectTimeout: settings.connectTimeout * 1000,
    idleTimeout: settings.idleTimeout * 1000,
    connections: settings.maxConnections,
  });
  const health = createHealth({
    cooldown: settings.cooldown * 1000,
    cooldownLimit: settings.cooldownLimit * 1000,
    random: Math.random,
  });
  const parts = { catalog, open: sources.open, policy: policyOf(settings), health };
  const close = async () => {
    await sources.close();
    catalog.close();
  };
  if (settings.dispatch === 'none')
    return { ...composeStreamer({ ...parts, sources: [feedCandidates(catalog)] }), catalog, deliveries: EMPTY, close };

  try {
    const onError = (error: Error) => logger.error({ error: maskUrl(error.message) }, 'saving');
    const store = createSaveStore({
      folder: settings.saveDir,
      onError,
      fetch: ({ path }, valve) => streamer.fetch(path, { valve }).pipe(ignoreElements()),
    });
    const candidates = [store.find, feedCandidates(catalog)];
    if (!delivers) return { ...composeStreamer({ ...parts, sources: candidates }), catalog, deliveries: EMPTY, close };

    const outbox = openOutbox(join(settings.stateDir, 'outbox.db'), { onError });
    const streamer = composeStreamer({
      ...parts,
      sources: candidates,
      keep: store.keep,
      outbox,
    });
    const deliveries = new Subject<Delivery>();
    deliveries.subscribe((delivery) => logDelivery(logger, delivery));
    const delivering = deliverSaves({ outbox, dispatch: store.dispatch, ...DELIVERY }).subscribe(deliveries);
    return {
      ...streamer,
      catalog,
      outbox,
      deliveries,
      close: async () => {
        delivering.unsubscribe();
        deliveries.complete();
        await store.close();
        outbox.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
};

const policyOf = (settings: Settings): Policy => ({
  cacheTimeout: settings.cacheTimeout,
  headTimeout: settings.headTimeout * 1000,
  readTimeout: settings.readTimeout * 1000,
  verifyWholeBelow: settings.verifyWholeBelow,
  attempts: settings.attempts,
  attemptsPerCandidate: settings.attemptsPerCandidate,
  retryWait: settings.retryWait * 1000,
  retryWaitLimit: settings.retryWaitLimit * 1000,
  minSpeed: settings.minSpeed,
  minSpeedWindow: settings.minSpeedWindow * 1000,
  clientTimeout: settings.clientTimeout * 1000,
  sizeLimit: settings.sizeLimit,
  hedge: settings.hedge === 'on',
});

const logDelivery = (logger: Logger, delivery: Delivery): void => {
  const { requestId, entry } = delivery.save;
  const line = { id: requestId, path: entry.path, unit: entry.unitId };
  if (delivery.type === 'delivered') logger.info(line, 'saved');
  else {
    const error = maskUrl(delivery.error instanceof Error ? delivery.error.message : String(delivery.error));
    logger.warn({ ...line, error, again: Math.round(delivery.delay) }, 'save put off');
  }
};
