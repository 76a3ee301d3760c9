import { describe, expect, it } from '@jest/globals';
import {
  asyncScheduler,
  catchError,
  concat,
  count,
  defer,
  EMPTY,
  from,
  ignoreElements,
  map,
  mergeMap,
  NEVER,
  type Observable,
  of,
  tap,
  throwError,
  timer,
} from 'rxjs';
import {
  type CatalogEntry,
  type FollowedRepository,
  type FollowFeedsDeps,
  followFeeds,
  StreamError,
} from '../../pipelines/index.ts';
import { AtOnce } from '../../pipelines/operators/at-once.ts';
import { anEntry, marbles } from '../support/pipeline.ts';

const ENTRY_POINT = '/r/repomd.xml';
const one = anEntry({ path: ENTRY_POINT, revision: 1 });
const two = anEntry({ path: ENTRY_POINT, revision: 2 });
const bear = anEntry({ path: '/r/bear.rpm' });
const loose = anEntry({ path: '/r/loose.txt', maxAge: 10 });

/** A catalog, and a repository in it that an update brings to its next revision. */
const aFeed = (update: () => Observable<never>, more: Partial<FollowedRepository> = {}) => {
  const state = { revision: 1, confirmed: more.confirmed, updates: 0 };
  const repository = (): FollowedRepository => ({
    id: 'r',
    isEntryPoint: (path) => path === ENTRY_POINT,
    unlisted: (path) => (path === loose.path ? of(loose) : EMPTY),
    needsNoProof: true,
    ...more,
    confirmed: state.confirmed,
    update: () =>
      defer(() => {
        state.updates += 1;
        return update();
      }),
  });
  const known = (path: string): CatalogEntry[] => {
    if (state.confirmed === undefined) return [];
    if (path === ENTRY_POINT) return [state.revision === 1 ? one : two];
    return path === bear.path ? [bear] : [];
  };
  const deps: FollowFeedsDeps = {
    catalog: { lookup: (path) => defer(() => from(known(path))) },
    followed: (path) => (path.startsWith('/r/') ? repository() : undefined),
    maxAge: 10,
    patience: 5,
    firstPatience: 7,
    maxMisses: 2,
  };
  return {
    ...{ state, deps },
    catalog: followFeeds(deps),
    /** The feed had another revision, which the catalog has now. */
    learned: () => {
      state.revision = state.confirmed === undefined ? 1 : state.revision + 1;
      state.confirmed = asyncScheduler.now();
    },
  };
};

/** Asks at a frame. */
const at = <T>(frame: number, ask: () => Observable<T>): Observable<T> => timer(frame).pipe(mergeMap(ask));

const outage = new StreamError('CONNECT_FAILED', 'feed', 'the feed is down');

describe('followFeeds', () => {
  it('updates a repository before its entry point is looked up, once for all who ask, and again when it is old', () =>
    marbles(({ cold, expectObservable, flush }) => {
      const feed = aFeed(() => cold<never>('--|').pipe(tap({ complete: () => feed.learned() })), { confirmed: -10 });
      const ask = () => feed.catalog.lookup(ENTRY_POINT);
      expectObservable(at(0, ask)).toBe('--(t|)', { t: two });
      expectObservable(at(1, ask)).toBe('--(t|)', { t: two });
      expectObservable(at(11, ask)).toBe('-----------(t|)', { t: two });
      expectObservable(at(12, ask)).toBe('--------------(t|)', { t: { ...two, revision: 2 } });
      flush();
      expect(feed.state.updates).toBe(2);
    }));

  it('looks up everything else that is known at once', () =>
    marbles(({ expectObservable, flush }) => {
      const feed = aFeed(() => NEVER, { confirmed: -10 });
      expectObservable(feed.catalog.lookup(bear.path)).toBe('(b|)', { b: bear });
      expectObservable(feed.catalog.lookup('/elsewhere')).toBe('|');
      flush();
      expect(feed.state.updates).toBe(0);
    }));

  it('asks for no repository if lasting entries are there at once, and reads them once', () =>
    marbles(({ expectObservable, flush }) => {
      let reads = 0;
      const { lookup } = followFeeds({
        ...aFeed(() => NEVER).deps,
        catalog: { lookup: () => new AtOnce(() => [[bear][reads++] as CatalogEntry]) },
        followed: () => {
          throw new Error('asked');
        },
      });
      const found = lookup(bear.path);
      expect(found instanceof AtOnce && found.read()).toEqual([bear]);
      expectObservable(found).toBe('(b|)', { b: bear });
      flush();
      expect(reads).toBe(1);
    }));

  it('passes on that the catalog cannot be read', () =>
    marbles(({ expectObservable }) => {
      const unavailable = new StreamError('CATALOG_UNAVAILABLE', 'catalog', 'locked');
      const lookup = () =>
        new AtOnce<CatalogEntry>(() => {
          throw unavailable;
        });
      const following = followFeeds({ ...aFeed(() => NEVER).deps, catalog: { lookup } });
      expectObservable(following.lookup(bear.path)).toBe('#', {}, unavailable);
    }));

  it('updates before it denies a path, and finishes the update if nobody waits any more', () =>
    marbles(({ cold, expectObservable, flush }) => {
      const feed = aFeed(() => cold<never>('---|').pipe(tap({ complete: () => feed.learned() })));
      expectObservable(feed.catalog.lookup(bear.path), '^-!').toBe('---');
      expectObservable(at(4, () => feed.catalog.lookup(bear.path))).toBe('----(b|)', { b: bear });
      flush();
      expect(feed.state.updates).toBe(1);
    }));

  it('serves the last revision of a feed that is down, says for how long, and asks again when that is old', () =>
    marbles(({ expectObservable, flush }) => {
      const feed = aFeed(() => throwError(() => outage), { confirmed: -30 });
      const ask = () => feed.catalog.lookup(ENTRY_POINT);
      expectObservable(at(0, ask)).toBe('(o|)', { o: { ...one, staleFor: 30 } });
      expectObservable(at(9, ask)).toBe('---------(o|)', { o: { ...one, staleFor: 39 } });
      expectObservable(at(10, ask)).toBe('----------(o|)', { o: { ...one, staleFor: 40 } });
      expectObservable(at(10, () => feed.catalog.lookup(bear.path))).toBe('----------(b|)', { b: bear });
      flush();
      expect(feed.state.updates).toBe(2);
    }));

  it('compares a feed that turned out to have other content without waiting until that is old', () =>
    marbles(({ cold, expectObservable, flush }) => {
      const feed = aFeed(() => cold<never>('|').pipe(tap({ complete: () => feed.learned() })), { confirmed: 0 });
      const ask = () => feed.catalog.lookup(ENTRY_POINT);
      expectObservable(at(1, ask)).toBe('-(o|)', { o: one });
      expectObservable(at(2, () => of(feed.catalog.doubted(bear.path))).pipe(ignoreElements())).toBe('--|');
      expectObservable(at(3, ask)).toBe('---(t|)', { t: two });
      expectObservable(at(4, ask)).toBe('----(t|)', { t: two });
      flush();
      expect(feed.state.updates).toBe(1);
    }));

  it('compares a repository that was confirmed while the clock was ahead', () =>
    marbles(({ expectObservable, flush }) => {
      const feed = aFeed(() => EMPTY, { confirmed: 1_000 });
      const tree = aFeed(() => EMPTY, { confirmed: Number.POSITIVE_INFINITY });
      for (const { catalog } of [feed, tree]) expectObservable(catalog.lookup(ENTRY_POINT)).toBe('(o|)', { o: one });
      flush();
      expect(feed.state.updates).toBe(1);
      expect(tree.state.updates).toBe(0);
    }));

  it('waits no longer than its patience', () =>
    marbles(({ expectObservable }) => {
      const feed = aFeed(() => NEVER, { confirmed: -10 });
      expectObservable(feed.catalog.lookup(ENTRY_POINT)).toBe('-----(o|)', { o: { ...one, staleFor: 15 } });
      const unknown = aFeed(() => NEVER);
      expectObservable(unknown.catalog.lookup(ENTRY_POINT)).toBe('-------|');
    }));

  it('waits once for an update that takes long, however many requests and paths wait', () =>
    marbles(({ expectObservable, flush }) => {
      const feed = aFeed(() => NEVER, { confirmed: -10 });
      const ask = () => feed.catalog.lookup(ENTRY_POINT);
      const stale = (staleFor: number) => ({ o: { ...one, staleFor } });
      expectObservable(at(0, ask)).toBe('-----(o|)', stale(15));
      expectObservable(at(3, ask)).toBe('-----(o|)', stale(15));
      expectObservable(at(8, () => concat(feed.catalog.lookup('/r/absent'), ask()))).toBe('--------(o|)', stale(18));
      flush();
      expect(feed.state.updates).toBe(1);
    }));

  it('waits as long for a later update as for an earlier one', () =>
    marbles(({ cold, expectObservable }) => {
      const feed = aFeed(() => cold<never>('----|').pipe(tap({ complete: () => feed.learned() })), { confirmed: -10 });
      const ask = () => feed.catalog.lookup(ENTRY_POINT);
      expectObservable(at(0, ask)).toBe('----(t|)', { t: two });
      expectObservable(at(30, ask)).toBe('30ms ----(t|)', { t: two });
    }));

  it('compares nothing at the moment in which it was confirmed', () =>
    marbles(({ expectObservable, flush }) => {
      const feed = aFeed(() => EMPTY, { confirmed: 3 });
      expectObservable(at(3, () => feed.catalog.lookup(ENTRY_POINT))).toBe('---(o|)', { o: one });
      flush();
      expect(feed.state.updates).toBe(0);
    }));

  it('says of nothing that it is staler than it is', () =>
    marbles(({ expectObservable }) => {
      const feed = aFeed(() => throwError(() => outage), { confirmed: 1_000 });
      expectObservable(feed.catalog.lookup(ENTRY_POINT)).toBe('(o|)', { o: { ...one, staleFor: 0 } });
    }));

  it('asks a catalog that answers later for its repository when it has answered', () =>
    marbles(({ cold, expectObservable, flush }) => {
      const feed = aFeed(() => EMPTY, { confirmed: -10 });
      let isFollowed = false;
      const { lookup } = followFeeds({
        ...feed.deps,
        catalog: {
          lookup: () => cold<CatalogEntry>('--(o|)', { o: one }).pipe(tap({ complete: () => (isFollowed = true) })),
        },
        followed: (path) => (isFollowed ? feed.deps.followed(path) : undefined),
      });
      expectObservable(lookup(ENTRY_POINT)).toBe('----(o|)', { o: one });
      flush();
      expect(feed.state.updates).toBe(1);
    }));

  it('reads at once what is there at once and up to date, and updates what is not, also if it may change', () =>
    marbles(({ expectObservable, flush }) => {
      const changing = { ...one, maxAge: 10 };
      const feed = aFeed(() => NEVER, { confirmed: 0 });
      const catalog = { lookup: () => new AtOnce(() => [changing]) };
      const { lookup } = followFeeds({ ...feed.deps, catalog });
      const found = lookup(ENTRY_POINT);
      expect(found instanceof AtOnce && found.read()).toEqual([changing]);
      expectObservable(at(10, () => lookup(ENTRY_POINT))).toBe('10ms -----(o|)', { o: { ...changing, staleFor: 15 } });
      flush();
      expect(feed.state.updates).toBe(1);
    }));

  it('waits once for an update that began later, too', () =>
    marbles(({ expectObservable }) => {
      const feed = aFeed(() => NEVER, { confirmed: -10 });
      const ask = () => feed.catalog.lookup(ENTRY_POINT);
      expectObservable(at(3, ask)).toBe('--------(o|)', { o: { ...one, staleFor: 18 } });
      expectObservable(at(6, ask)).toBe('--------(o|)', { o: { ...one, staleFor: 18 } });
    }));

  it('says of no entry how old it is if its feed never confirmed one', () =>
    marbles(({ expectObservable }) => {
      const { deps } = aFeed(() => throwError(() => outage));
      const { lookup } = followFeeds({ ...deps, catalog: { lookup: () => of(one) } });
      expectObservable(lookup(ENTRY_POINT)).toBe('(o|)', { o: one });
    }));

  it('doubts nothing that it does not follow', () => {
    const { catalog } = aFeed(() => NEVER);
    expect(() => catalog.doubted('/elsewhere')).not.toThrow();
  });

  it('forgets a doubt that came during an update', () =>
    marbles(({ cold, expectObservable, flush }) => {
      const feed = aFeed(() => cold<never>('--|').pipe(tap({ complete: () => feed.learned() })), { confirmed: -10 });
      const ask = () => feed.catalog.lookup(ENTRY_POINT);
      expectObservable(at(0, ask)).toBe('--(t|)', { t: two });
      expectObservable(at(1, () => of(feed.catalog.doubted(ENTRY_POINT))).pipe(ignoreElements())).toBe('-|');
      expectObservable(at(3, ask)).toBe('---(t|)', { t: two });
      flush();
      expect(feed.state.updates).toBe(1);
    }));

  it('gives an entry for what only the feed can know', () =>
    marbles(({ expectObservable }) => {
      const { catalog } = aFeed(() => NEVER, { confirmed: 0 });
      expectObservable(catalog.unlisted(loose.path)).toBe('(l|)', { l: loose });
      expectObservable(catalog.unlisted('/r/excluded.rpm')).toBe('|');
      expectObservable(catalog.unlisted('/elsewhere')).toBe('|');
    }));

  it('gives none for a while after the feed did not have it', () =>
    marbles(({ expectObservable }) => {
      const { catalog } = aFeed(() => NEVER, { confirmed: 0 });
      const ask = () => catalog.unlisted(loose.path);
      expectObservable(at(0, ask).pipe(tap(() => catalog.missed(loose.path)))).toBe('(l|)', { l: loose });
      expectObservable(at(9, ask)).toBe('---------|');
      expectObservable(at(10, ask)).toBe('----------(l|)', { l: loose });
    }));

  it('limits how many missing paths a client asks for within a minute', () => {
    marbles(({ expectObservable }) => {
      const { catalog } = aFeed(() => NEVER, { confirmed: 0, unlisted: (path) => of({ ...loose, path }) });
      const miss = (name: string) => catalog.unlisted(name, 'client').pipe(tap(({ path }) => catalog.missed(path)));
      const refused = new StreamError(
        'TOO_MANY_MISSES',
        'client',
        '/r/c was not asked for: the client asked for 2 paths within a minute that do not exist',
        { retryAfter: 59_999 },
      );
      expectObservable(concat(miss('/r/a'), miss('/r/b')).pipe(ignoreElements())).toBe('|');
      expectObservable(at(1, () => miss('/r/c'))).toBe('-#', {}, refused);
      expectObservable(at(1, () => catalog.unlisted('/r/c', 'other')).pipe(map(({ path }) => path))).toBe('-(c|)', {
        c: '/r/c',
      });
      expectObservable(at(60_000, () => miss('/r/c')).pipe(map(({ path }) => path))).toBe('60s (c|)', { c: '/r/c' });
    });
  });

  it('updates nothing for a client that is past that limit', () =>
    marbles(({ expectObservable, flush }) => {
      const feed = aFeed(() => NEVER, { unlisted: (path) => of({ ...loose, path }) });
      const { catalog } = feed;
      const miss = (name: string) => catalog.unlisted(name, 'client').pipe(tap(({ path }) => catalog.missed(path)));
      concat(miss('/r/a'), miss('/r/b')).subscribe();
      expectObservable(catalog.lookup('/r/c', 'client')).toBe('|');
      flush();
      expect(feed.state.updates).toBe(0);
      expectObservable(catalog.lookup('/r/c', 'other'), '^!').toBe('-');
      flush();
      expect(feed.state.updates).toBe(1);
    }));

  it('counts only what the feed did not have', () =>
    marbles(({ expectObservable }) => {
      const { catalog } = aFeed(() => NEVER, { confirmed: 0, unlisted: (path) => of({ ...loose, path }) });
      const ask = (name: string) => catalog.unlisted(name, 'client');
      expectObservable(concat(...['/r/a', '/r/b', '/r/c', '/r/d'].map(ask)).pipe(count())).toBe('(n|)', { n: 4 });
    }));

  it('serves nothing of a repository that must be signed before its metadata was read', () =>
    marbles(({ expectObservable }) => {
      const cause = new Error('no signature');
      const feed = aFeed(() => throwError(() => cause), { needsNoProof: false });
      const ask = () =>
        concat(
          feed.catalog.lookup(loose.path),
          defer(() => feed.catalog.unlisted(loose.path)),
        );
      const error = new StreamError('CATALOG_UNAVAILABLE', 'catalog', 'r: no signature');
      expectObservable(ask()).toBe('#', {}, error);
      expectObservable(ask().pipe(catchError((error: StreamError) => of(error.cause)))).toBe('(c|)', { c: cause });
    }));

  it('says why nothing is known of such a repository: its outage, or that it is still read', () =>
    marbles(({ expectObservable }) => {
      const down = aFeed(() => throwError(() => outage), { needsNoProof: false });
      const slow = aFeed(() => NEVER, { needsNoProof: false });
      const ask = ({ catalog }: typeof down) =>
        concat(
          catalog.lookup(loose.path),
          defer(() => catalog.unlisted(loose.path)),
        );
      expectObservable(ask(down)).toBe('#', {}, outage);
      const unread = new StreamError('CATALOG_UNAVAILABLE', 'catalog', 'r: its metadata is still being read');
      expectObservable(ask(slow)).toBe('-------#', {}, unread);
    }));

  it('gives an entry of such a repository once its metadata was read, although its feed is down by now', () =>
    marbles(({ expectObservable }) => {
      const feed = aFeed(() => throwError(() => outage), { needsNoProof: false, confirmed: -10 });
      const events = concat(
        feed.catalog.lookup(ENTRY_POINT),
        defer(() => feed.catalog.unlisted(loose.path)),
      );
      expectObservable(events).toBe('(ol|)', { o: { ...one, staleFor: 10 }, l: loose });
    }));

  it('asks the feed itself if the metadata cannot be read and nobody signs it', () =>
    marbles(({ expectObservable }) => {
      const feed = aFeed(() => throwError(() => outage));
      const ask = () =>
        concat(
          feed.catalog.lookup(loose.path),
          defer(() => feed.catalog.unlisted(loose.path)),
        );
      expectObservable(ask()).toBe('(l|)', { l: loose });
    }));

  it('ends running updates when it is closed', () =>
    marbles(({ cold, expectObservable, expectSubscriptions }) => {
      const update = cold<never>('----------');
      const feed = aFeed(() => update);
      expectObservable(feed.catalog.lookup(ENTRY_POINT), '^!').toBe('-');
      expectObservable(at(3, () => of(feed.catalog.close())).pipe(ignoreElements())).toBe('---|');
      expectSubscriptions(update.subscriptions).toBe('^--!');
    }));
});
