import type { Logger } from 'pino';
import { concatMap, EMPTY, filter, type Observable, pairwise, Subject, Subscription } from 'rxjs';
import { type Candidate, createHealth, createSharing, type Delivery, deliverSaves } from '../../pipelines/index.ts';
import { type Alternates, logProblems, logRefresh, openAlternates } from '../alternates/open.ts';
import type { SqliteCatalog } from '../catalog/sqlite.ts';
import { parseDescriptor } from '../config/ini.ts';
import type { Settings } from '../config/schema.ts';
import { maskUrl } from '../lib/mask.ts';
import { makeFolder } from '../lib/private-files.ts';
import { messageOf } from '../lib/thrown.ts';
import { writeHealth } from '../observe/health-file.ts';
import { createSaveStore } from '../saves/copies/store.ts';
import { type DurableOutbox, openOutbox } from '../saves/outbox/open.ts';
import { warnOfExpiry } from '../sources/expiring-certificates.ts';
import { feedCandidates } from '../sources/feed/candidates.ts';
import { withLimits } from '../sources/source-limits.ts';
import { openCatalog } from './catalog.ts';
import { composeStreamer, type Streamer } from './compose.ts';
import { policyOf, sourcesOf } from './from-settings.ts';
import { logDelivery, logDepth, logExpiring, logReady, logUnhealthy } from './log-lines.ts';
import { openSaveTarget, type SaveTarget } from './save-target.ts';
import { healthFile, logFindings, narrowState, outboxFile } from './state-folder.ts';

export interface OpenStreamer extends Streamer {
  /** The embedded catalog. Where Pulp's database is the catalog, nothing asks it. */
  readonly catalog: SqliteCatalog;
  /** Emits whether the catalog of the entries can be asked: as soon as that is known, and whenever it changes. */
  readonly ready: Observable<boolean>;
  /** Alternate content sources; `reload` reads their descriptors anew. */
  readonly alternates: Alternates;
  /** Where wishes to save wait; absent where `dispatch` is `none`. */
  readonly outbox?: DurableOutbox;
  /** Emits what came of each delivery of a save, as it happens; completes when closed. */
  readonly deliveries: Observable<Delivery>;
  /** Stops delivering, lets copies in the making end, closes files and connections. Running transfers fail. */
  close(): Promise<void>;
}

interface Options {
  /** Whether wishes to save are delivered and alternate sources kept fresh: what the daemon does, and a single command leaves to it. Default: true. */
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
  await makeFolder(settings.stateDir);
  logFindings(logger, narrowState(settings));
  const chosen = await openCatalog(settings);
  const catalog = chosen.embedded;
  const sources = sourcesOf(settings);
  const health = createHealth({
    cooldown: settings.cooldown,
    cooldownLimit: settings.cooldownLimit,
    random: Math.random,
  });
  // Half of the time that a client's patience with a source is worth: past that another source may well have a place.
  const watched = warnOfExpiry(sources.open, { warn: (found) => logExpiring(logger, found), now: Date.now });
  const open = withLimits(watched, { timeoutMs: settings.headTimeout / 2 });
  const alternates = openAlternates({
    folder: settings.contentSourcesDir,
    parse: parseDescriptor,
    catalog: chosen,
    store: chosen.store,
    open,
    onMissing: ({ id }, url) => logger.warn({ source: id, url: maskUrl(url) }, 'listed, but not there'),
  });
  const background = new Subscription();
  background.add(chosen.ready.subscribe((ready) => logReady(logger, settings, ready)));
  background.add(alternates.descriptors.subscribe((descriptors) => logProblems(logger, descriptors)));
  if (delivers) {
    background.add(alternates.refreshing.subscribe((event) => logRefresh(logger, event)));
    background.add(health.unhealthy.pipe(pairwise()).subscribe(([before, now]) => logUnhealthy(logger, before, now)));
    background.add(
      writeHealth(healthFile(settings), health.unhealthy).subscribe({
        error: (error) => logger.error({ error: messageOf(error) }, 'the state of sources cannot be written'),
      }),
    );
  }

  const failed = ({ entry }: Candidate) => chosen.forget(entry.path);
  const { coalesceWindow: window, coalesceMemory: memory } = settings;
  const sharing = window > 0 ? createSharing({ window, memory }) : undefined;
  const parts = { catalog: chosen, open, policy: policyOf(settings), health, sharing, failed };
  const held = { catalog, alternates, ready: chosen.ready };
  const close = async () => {
    background.unsubscribe();
    alternates.close();
    await sources.close();
    await chosen.close();
  };
  if (settings.dispatch === 'none')
    return {
      ...composeStreamer({ ...parts, sources: [alternates.find, feedCandidates(chosen)] }),
      ...held,
      deliveries: EMPTY,
      close,
    };

  try {
    const onError = (error: Error) => logger.error({ error: maskUrl(messageOf(error)) }, 'saving');
    const store =
      settings.dispatch === 'save'
        ? createSaveStore({
            folder: settings.saveDir,
            limit: delivers ? settings.saveLimit : 0,
            onError,
            // A transfer shared with others would go on while the disk cannot keep up.
            fetch: ({ path }, valve) =>
              streamer
                .fetch(path, { valve, exclusive: true })
                .pipe(concatMap((event) => (event.type === 'head' ? [event.candidate.entry] : []))),
          })
        : undefined;
    const candidates = [...(store ? [store.find] : []), alternates.find, feedCandidates(chosen)];
    if (!delivers) return { ...composeStreamer({ ...parts, sources: candidates }), ...held, deliveries: EMPTY, close };

    const outbox = openOutbox(outboxFile(settings), { onError });
    background.add(() => outbox.close());
    const saveTarget: SaveTarget = store ?? openSaveTarget(settings, { logger, database: chosen.database });
    const streamer = composeStreamer({
      ...parts,
      sources: candidates,
      keep: store?.keep,
      outbox,
    });
    const deliveries = new Subject<Delivery>();
    deliveries.subscribe((delivery) => logDelivery(logger, delivery, store ? 'saved' : 'save queued'));
    background.add(logDepth(logger, outbox, deliveries.pipe(filter(({ type }) => type === 'put-off'))));
    const { dispatch, concurrency = DELIVERY.concurrency, revived = EMPTY } = saveTarget;
    const delivering = deliverSaves({ outbox, ...DELIVERY, dispatch, concurrency }).subscribe(deliveries);
    // What was put off while the other side was away need not wait until it is due.
    background.add(
      revived.subscribe(() => {
        try {
          outbox.retry('all');
        } catch (error) {
          onError(new Error(`what waits is not tried again before it is due: ${messageOf(error)}`, { cause: error }));
        }
      }),
    );
    return {
      ...streamer,
      ...held,
      outbox,
      deliveries,
      close: async () => {
        delivering.unsubscribe();
        deliveries.complete();
        await saveTarget.close();
        outbox.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
};
