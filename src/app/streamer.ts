import type { Logger } from 'pino';
import { EMPTY, merge, type Observable, Subject, Subscription } from 'rxjs';
import {
  type Candidate,
  createLengths,
  createSharing,
  createSliceMemory,
  type Delivery,
  type Dispatch,
  type Health,
  hasOtherBytes,
  isCopy,
  type Outbox,
  type StreamError,
} from '../../pipelines/index.ts';
import { type Alternates, logProblems, logRefresh } from '../alternates/open.ts';
import type { Answer } from '../catalog/answer.ts';
import { dropWrong, keptMetadata } from '../catalog/kept-metadata.ts';
import type { RefreshResult } from '../catalog/refresh-repository.ts';
import type { SqliteCatalog } from '../catalog/sqlite/catalog.ts';
import type { CatalogStore } from '../catalog/store.ts';
import type { StoredRepository } from '../catalog/stored-repository.ts';
import type { Settings } from '../config/schema.ts';
import { maskUrl } from '../lib/mask.ts';
import { makeFolder } from '../lib/private-files.ts';
import { messageOf } from '../lib/thrown.ts';
import { createConditions } from '../observe/conditions.ts';
import type { CopyFigures } from '../saves/copies/eviction.ts';
import type { SaveStore } from '../saves/copies/store.ts';
import type { DurableOutbox } from '../saves/outbox/open.ts';
import { BACKGROUND, type Contention, createContention } from '../sources/contention.ts';
import { feedCandidates } from '../sources/feed/candidates.ts';
import { openCatalog } from './catalog.ts';
import { composeLending, owning, type Streamer } from './compose.ts';
import { openCopies } from './copies.ts';
import { withCopies } from './copy-store.ts';
import { startDeliveries } from './deliveries.ts';
import { foldersOf, healthOf, placeTimeoutOf, policyOf } from './from-settings.ts';
import { openHealingOutbox } from './healing-outbox.ts';
import { catalogNotices, logHealth, logReady, sourceNotices } from './log-lines.ts';
import { recordUnhealthy } from './record-unhealthy.ts';
import { type Refresh, refreshOf } from './refreshes.ts';
import { type Renewable, renewable } from './renewable.ts';
import { viewedCatalog } from './repositories/dated-views.ts';
import { followCatalog } from './repositories/follow-catalog.ts';
import { keepImportsFresh } from './repositories/keep-fresh.ts';
import type { RenewableTarget, SaveTargetParts } from './save-target.ts';
import { type OpenSources, openSources } from './sources.ts';
import { spillsOf } from './spills.ts';
import {
  checkSharing,
  checkState,
  logFindings,
  metadataFolder,
  narrowState,
  outboxFile,
  ownState,
} from './state-folder.ts';
import { steadyClock } from './steady-clock.ts';
import type { StreamerOptions } from './streamer-options.ts';
import { keepTidy } from './tidy.ts';
import { openWarming, type Warming } from './warm/warming.ts';

/** An open streamer: what it serves, saves and refreshes, and how it is. */
export interface OpenStreamer extends Streamer {
  /** As `fetch`, except that chunks may be lent: see `Chunk`. */
  readonly fetchLent: Streamer['fetch'];
  /** The embedded catalog. Unused if Pulp's database is the catalog. */
  readonly catalog: SqliteCatalog;
  /** The catalog of our own that is in use; absent if it is Pulp's. */
  readonly own?: CatalogStore;
  /**
   * Emits whether the catalog of the entries answers: as soon as that is known, and after each
   * change.
   */
  readonly ready: Observable<boolean>;
  /** Alternate content sources; `reload` re-reads their descriptors. */
  readonly alternates: Alternates;
  /**
   * Holds save requests until they are delivered; absent if `dispatch` is `none`, or with
   * `delivering: false`.
   */
  readonly outbox?: DurableOutbox;
  /** Emits the result of each delivery of a save request, as it happens; completes when closed. */
  readonly deliveries: Observable<Delivery>;
  /** Saves a unit in the folder of copies; absent if none are kept. */
  readonly save?: Dispatch;
  /** Fetches ahead what clients will ask for; absent if no copies are kept, or the catalog is Pulp's. */
  readonly warming?: Warming;
  /** Whether clients wait for places at sources, those of other processes included. */
  readonly contention: Pick<Contention, 'waits'>;
  /** For what other processes do with the copies; absent if none are kept. */
  readonly eviction?: SaveStore['eviction'];
  /** How sources behaved. */
  readonly health: Pick<Health, 'changes' | 'unhealthy' | 'adopt'>;
  /** Emits each refresh of an alternate source or a repository as it starts and ends; completes when closed. */
  readonly refreshes: Observable<Refresh>;
  /** What is in use at this moment. Each is computed when it is called. */
  readonly usage: Pick<OpenSources, 'connections' | 'certificates'> & {
    /** Absent if no copies are saved. */
    readonly copies?: () => CopyFigures;
    /** Those that are imported or followed; absent if the catalog is Pulp's. */
    readonly repositories?: () => Answer<readonly StoredRepository[]>;
    /** Bytes of metadata that processes have fetched which imported or followed a repository. */
    readonly imported: () => number;
    /** Whether the message broker is connected; undefined if there is none. */
    readonly broker: () => boolean | undefined;
    /** Bytes of transfers that wait on disk. */
    readonly spilled: () => number;
  };
  /** What does not work at present, one line for each. Requests are answered all the same. */
  readonly degraded: () => readonly string[];
  /**
   * Applies changes that the owner of the settings made to them, as far as a reload can (`RELOADS`),
   * to requests that begin from now on. Reloads the descriptors of alternate sources.
   */
  reload(): void;
  /**
   * Stops delivering, lets unfinished copies end, closes files and connections. Running transfers
   * fail.
   */
  close(): Promise<void>;
}

/**
 * Opens the embedded streamer that the settings describe: catalog, sources, copies and the outbox,
 * with its deliveries in the background. Rejects, with nothing left open, if a file or folder
 * cannot be used.
 */
export const openStreamer = async (
  settings: Settings,
  logger: Logger,
  {
    delivering = true,
    owner,
    places,
    family,
    around = (dispatch) => dispatch,
    noted,
    elsewhere = EMPTY,
    counter = {},
  }: StreamerOptions = {},
): Promise<OpenStreamer> => {
  /** Whether this process owns the state folder. */
  const isOwner = delivering && owner === undefined;
  checkSharing(settings);
  checkState(settings);
  await makeFolder(settings.stateDir);
  if (!owner) logFindings(logger, narrowState(settings));
  // Closes in reverse order: what is opened later may use what was opened before it.
  await using opening = new AsyncDisposableStack();
  const closing = <T extends { close(): unknown }>(resource: T): T =>
    opening.adopt(resource, async ({ close }) => {
      await close();
    });

  const conditions = createConditions(logger);
  if (isOwner) opening.defer(ownState(settings, conditions));
  const catalog = closing(await openCatalog(settings, catalogNotices(logger, conditions)));
  const sources = closing(
    openSources(settings, catalog, { counter, ...sourceNotices(logger) }, { places, parts: owner?.workers }),
  );
  const { open, files, alternates, connections, certificates } = sources;
  const contention = createContention(() => placeTimeoutOf(settings));
  const health = healthOf(settings);
  const refreshes = opening.adopt(new Subject<Refresh>(), (one) => one.complete());
  let imported = 0;
  const notices = {
    happened: (refresh: Refresh) => refreshes.next(refresh),
    refreshed: ({ fetched = 0 }: RefreshResult) => {
      imported += fetched;
    },
  };
  const background = opening.adopt(new Subscription(), (one) => one.unsubscribe());
  background.add(catalog.ready.subscribe((ready) => logReady(logger, settings, ready)));
  background.add(alternates.descriptors.subscribe((descriptors) => logProblems(logger, descriptors)));
  if (isOwner) {
    background.add(
      alternates.refreshing.subscribe((event) => {
        logRefresh(logger, event);
        refreshOf('alternate', event, event.source.id).forEach(notices.happened);
      }),
    );
    if (catalog.own) background.add(keepImportsFresh(settings, logger, catalog, catalog.own, notices));
    background.add(health.changes.subscribe((change) => logHealth(logger, change)));
    opening.use(recordUnhealthy(settings, logger, health));
  }

  const onError = (error: Error) => logger.error({ error: maskUrl(messageOf(error)) }, 'saving failed');
  const spillFailed = (error: unknown) =>
    logger.error({ error: messageOf(error) }, 'spill file failed, transfers are as slow as their clients');
  const saves = delivering && settings.dispatch !== 'none';
  const outbox = saves && isOwner ? closing(openHealingOutbox(outboxFile(settings), onError, conditions)) : undefined;
  const copies = await openCopies(settings, {
    ...{ delivering, isOwner, family, eviction: owner?.eviction, onError, logger, conditions },
    fetch: (path, options) => streamer.value.fetch(path, options),
  });
  const store = copies?.store;
  background.add(copies?.stop);
  if (isOwner) background.add(keepTidy({ settings, catalog, store }, logger));
  const spills = delivering ? closing(spillsOf(settings, spillFailed)) : undefined;
  const sharing = renewable(
    () => ({ window: settings.coalesceWindow, memory: settings.coalesceMemory, finishBelow: settings.finishBelow }),
    (limits) => createSharing({ ...limits, spill: spills?.open, scheduler: steadyClock }),
  );
  const following = catalog.own && closing(followCatalog(settings, logger, catalog, catalog.own, files, notices));
  const parts = {
    catalog: viewedCatalog(settings, following ? { ...catalog, ...following } : catalog, catalog, catalog.own),
    open: contention.watch(withCopies(open, store)),
    health,
    lengths: createLengths(),
    slices: createSliceMemory(),
    failed: (candidate: Candidate, error: StreamError) => {
      catalog.forget(candidate.entry.path);
      // What was in an earlier revision says nothing of the present one.
      if (candidate.entry.asOf !== undefined) catalog.forget(candidate.entry.path);
      else if (error.code === 'SOURCE_MISSING') following?.missed(candidate.entry.path);
      else if (!isCopy(candidate) && hasOtherBytes(error)) following?.doubted(candidate.entry.path);
      dropWrong(candidate, error).catch(onError);
      store?.failed(candidate, error);
    },
    sources: [
      ...(store ? [store.find] : []),
      keptMetadata(metadataFolder(settings), catalog.own?.metadata),
      alternates.find,
      feedCandidates(catalog),
    ],
    keep: saves ? store?.keep : undefined,
    outbox: outbox ? noting(outbox, noted) : saves ? owner?.outbox : undefined,
  };
  /** Requests keep the policy that they began with. */
  const streamer: Renewable<Streamer> = renewable(
    () => ({ policy: policyOf(settings), folders: foldersOf(settings), sharing: sharing.value }),
    (changing) => composeLending({ ...parts, ...changing }),
  );
  const lending: Streamer = {
    fetch: (path, options) => streamer.value.fetch(path, options),
    explain: (path) => streamer.value.explain(path),
  };
  const warming =
    store && catalog.own && delivering && !owner
      ? closing(
          openWarming({
            ...{ settings, logger, own: catalog.own, store, contention, isOwner },
            refreshed: merge(refreshes, elsewhere),
            limit: () => copies?.limit ?? 0,
            // A shared transfer would go on without this one, in a place that a client waits for.
            fetch: (path) => (valve) => streamer.value.fetch(path, { valve, client: BACKGROUND, exclusive: true }),
          }),
        )
      : undefined;
  const sending =
    outbox && !store
      ? closing(await saveTarget(settings, { logger, conditions, database: catalog.database }))
      : undefined;
  // Without an outbox, too: a worker completes its copies before it ends.
  if (store) closing(store);
  const target = outbox && (store ?? sending);
  const delivered = store ? 'saved' : 'save queued';
  const deliveries =
    target &&
    closing(
      startDeliveries({
        ...{ outbox, logger, delivered, onError, maxAge: () => settings.savesMaxAge },
        target: { ...target, dispatch: around(target.dispatch) },
      }),
    ).deliveries;
  // First, since copies in the making wait for their transfers.
  opening.defer(() => sharing.value.close());

  const opened = opening.move();
  return {
    ...owning(lending),
    fetchLent: lending.fetch,
    catalog: catalog.embedded,
    own: catalog.own,
    ready: catalog.ready,
    alternates,
    outbox,
    deliveries: deliveries ?? EMPTY,
    ...{ save: store?.dispatch, eviction: store?.eviction },
    ...{ warming, contention },
    health,
    refreshes,
    usage: {
      ...{ connections, certificates, copies: store?.figures, spilled: () => spills?.used() ?? 0 },
      imported: () => imported,
      broker: () => sending?.isConnected(),
      repositories: catalog.own?.repositories.list,
    },
    degraded: conditions.list,
    reload: () => {
      catalog.renew();
      sources.reload();
      sending?.renew();
      spills?.renew();
      sharing.renew()?.close();
      copies?.renew();
      streamer.renew();
      warming?.renew();
    },
    close: () => opened.disposeAsync(),
  };
};

const noting = (outbox: DurableOutbox, noted: StreamerOptions['noted']): Pick<Outbox, 'append' | 'written'> =>
  noted
    ? {
        append: (save) => {
          noted(save);
          outbox.append(save);
        },
        written: outbox.written,
      }
    : outbox;

/** The client of the broker is loaded only if another process saves. */
const saveTarget = async (settings: Settings, parts: SaveTargetParts): Promise<RenewableTarget> =>
  (await import('./save-target.ts')).openSaveTarget(settings, parts);
