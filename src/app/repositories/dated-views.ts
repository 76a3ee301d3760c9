import { concatMap, EMPTY, from, mergeMap, type Observable, throwError, toArray } from 'rxjs';
import { type Catalog, type CatalogEntry, StreamError } from '../../../pipelines/index.ts';
import { AtOnce, mappedToMany, NOTHING } from '../../../pipelines/operators/at-once.ts';
import { type Answer, after } from '../../catalog/answer.ts';
import { clientFiles } from '../../catalog/client-files/client-files.ts';
import type { KeptRevision, StoreHistory } from '../../catalog/history.ts';
import type { CatalogStore } from '../../catalog/store.ts';
import type { StoredEntry } from '../../catalog/stored-entry.ts';
import { describeKnown, type Known, type Resolved, resolveView, toTime } from '../../catalog/view-names.ts';
import { viewIn } from '../../catalog/view-path.ts';
import type { Settings } from '../../config/schema.ts';
import { isOnDisk, rootAt } from '../../lib/plain-path.ts';
import { emitting } from './emitting.ts';

type Viewed = Pick<Catalog, 'lookup' | 'unlisted' | 'made' | 'children'>;

interface Parts {
  readonly catalog: Viewed;
  /** What is in the catalog, without a look at any feed. */
  readonly listed: Pick<Catalog, 'lookup'>;
  readonly store: Pick<CatalogStore, 'repositories' | 'entries'> & { readonly history: StoreHistory };
  /** Milliseconds that caches may keep what a view shows, unless it always shows the same. May change. */
  readonly maxAge: () => number;
  /** Whether earlier revisions are kept. If not, there are views only of repositories with labels. */
  readonly keeps: () => boolean;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** A path of a view: what the view shows, and the path in the repository. */
interface Shown {
  readonly path: string;
  readonly prefix: string;
  readonly known: Known;
  readonly resolved: Resolved;
}

/**
 * The catalog with views of its repositories as they were: `/PREFIX@VIEW/…`. A path that the catalog
 * has comes first, whatever it looks like. Other paths pass at the cost of a search for `@`.
 */
export const viewedCatalog = <C extends Viewed>(
  settings: Pick<Settings, 'metadataMaxAge' | 'keepRevisions'>,
  catalog: C,
  listed: Pick<Catalog, 'lookup'>,
  own: CatalogStore | undefined,
): C => {
  if (!own?.history) return catalog;
  const store = { ...own, history: own.history };
  const views = withDatedViews({
    ...{ catalog, listed, store, maxAge: () => settings.metadataMaxAge },
    keeps: () => settings.keepRevisions > 0,
  });
  return { ...catalog, ...views };
};

export const withDatedViews = ({ catalog, listed, store, maxAge, keeps, now = Date.now }: Parts): Viewed => {
  const { history, repositories } = store;

  /** What a path of a view shows; `undefined` at once for any other path. */
  const shownAt = (path: string): Answer<Shown> | undefined => {
    const view = viewIn(path, history.isPrefix);
    if (!view) return undefined;
    const { prefix, name, rest } = view;
    // Labels first: a revision that gets one is there before.
    return after(history.labels(prefix), (labels) =>
      after(history.revisions(prefix), (revisions) => {
        const known = { revisions, labels, now: now() };
        const resolved = keeps() || labels.length > 0 ? resolveView(name, known) : OFF;
        return { path: `${prefix}${rest}`, prefix, known, resolved };
      }),
    );
  };

  /**
   * Whether no feed may have something at a path of a view. Otherwise one of `follow_hosts` would be
   * asked for each view, and could take the place of a label.
   */
  const isOnlyView = (path: string, { resolved }: Shown): boolean =>
    resolved !== OFF && !repositories.followed().some(({ prefix }) => path.startsWith(`${prefix}/`));

  const entryAt = (path: string, revision: KeptRevision, fixed: boolean): Answer<readonly CatalogEntry[]> =>
    after(history.find(path, revision), (found) => {
      if (!found) return [];
      const entry = { ...found, asOf: describe(revision) };
      return after(rootOf(found), (root) => [fixed ? { ...entry, ...root } : changing({ ...entry, ...root })]);
    });

  /** An imported file on disk lies in the folder of its repository. */
  const rootOf = ({ prefix = '', importerId, url }: StoredEntry): Answer<Pick<CatalogEntry, 'root'>> =>
    isOnDisk(url) ? after(repositories.baseOf({ prefix, importerId }), rootAt) : {};

  /** Other content may have its path soon, and of another date: only the entity tag distinguishes them. */
  const changing = (entry: CatalogEntry): CatalogEntry => ({
    ...entry,
    maxAge: Math.min(entry.maxAge ?? Number.POSITIVE_INFINITY, maxAge()),
    replaced: true,
  });

  /**
   * What a view shows, `look` at. If that is nothing, another process may have moved the label, and removed the
   * revision that it named, in between: then what the label names now is looked at, once.
   */
  const settled = <T>(asked: string, shown: Shown, look: (shown: Shown) => Observable<T>): Observable<T> =>
    unlessEmpty(look(shown), () => {
      const again = shownAt(asked);
      if (again === undefined) return EMPTY;
      return flattened(again, (now) => (isSameView(now.resolved, shown.resolved) ? EMPTY : look(now)));
    });

  const found = ({ path, resolved }: Shown, client?: string): Observable<CatalogEntry> => {
    if (resolved.kind === 'unknown') return NOTHING;
    if (resolved.kind === 'present') return mappedToMany(catalog.lookup(path, client), (entry) => [changing(entry)]);
    const { revisions, fixed } = resolved;
    return revisions
      .toReversed()
      .map((revision) => emitting(entryAt(path, revision, fixed)))
      .reduceRight((rest: Observable<CatalogEntry>, first) => joined(first, rest), NOTHING);
  };

  const unlisted = (shown: Shown, client?: string): Observable<CatalogEntry> => {
    const { resolved, path } = shown;
    if (resolved.kind !== 'present') return throwError(() => notThere(shown));
    const there = catalog.unlisted?.(path, client) ?? NOTHING;
    return mappedToMany(there, (entry) => [changing(entry)]);
  };

  const exactFiles = clientFiles(store, { view: true });

  return {
    lookup: (path, client) => {
      const shown = shownAt(path);
      return shown === undefined
        ? catalog.lookup(path, client)
        : flattened(shown, (one) =>
            unlessEmpty((isOnlyView(path, one) ? listed : catalog).lookup(path, client), () =>
              settled(path, one, (now) => found(now, client)),
            ),
          );
    },
    unlisted: (path, client) => {
      const shown = shownAt(path);
      const there = () => catalog.unlisted?.(path, client) ?? NOTHING;
      if (shown === undefined) return there();
      return flattened(shown, (one) =>
        unlessEmpty(isOnlyView(path, one) ? NOTHING : there(), () => unlisted(one, client)),
      );
    },
    made: (path, askedAs) => {
      const shown = shownAt(path);
      if (shown === undefined) return catalog.made?.(path, askedAs) ?? EMPTY;
      const look = (one: Shown) => (one.resolved.kind === 'unknown' ? EMPTY : exactFiles(one.path, askedAs));
      return flattened(shown, (one) => settled(path, one, look));
    },
    children: (folder, last, limit) => {
      const shown = shownAt(folder);
      if (shown === undefined) return catalog.children?.(folder, last, limit) ?? EMPTY;
      const look = ({ resolved, path }: Shown) => {
        if (resolved.kind === 'unknown') return EMPTY;
        if (resolved.kind === 'present') return catalog.children?.(path, last, limit) ?? EMPTY;
        return emitting(history.children(path, resolved.revisions, last, limit));
      };
      return flattened(shown, (one) => settled(folder, one, look));
    },
  };
};

/** Whether a name shows the same as before. */
const isSameView = (one: Resolved, other: Resolved): boolean => shownBy(one) === shownBy(other);

const shownBy = (resolved: Resolved): string =>
  resolved.kind === 'revisions'
    ? resolved.revisions.map(({ importerId, revision }) => `${importerId} ${revision}`).join()
    : resolved.kind;

/** A rule of a proxy for a prefix is not one for its views: none are there unless an operator wants them. */
const OFF: Resolved = { kind: 'unknown', reason: 'keep_revisions is 0, and no label was set' };

const describe = ({ prefix, revision, published }: KeptRevision): string =>
  `revision ${revision} of ${prefix || '/'}, published ${toTime(published)}`;

/** Why a view does not have a path, and what there is instead. */
const notThere = ({ prefix, path, known, resolved }: Shown): StreamError => {
  const name = prefix || '/';
  const told =
    resolved.kind === 'revisions'
      ? `it is not in ${resolved.revisions.map(describe).join(', nor in ')}`
      : `${name} has no such view: ${[reasonOf(resolved), ...(resolved === OFF ? [] : [describeKnown(known)])].join('; ')}`;
  return new StreamError('NOT_IN_CATALOG', 'catalog', `the catalog has no entry for ${path}: ${told}`, { told });
};

const reasonOf = (resolved: Resolved): string => (resolved.kind === 'unknown' ? resolved.reason : '');

const flattened = <T>(shown: Answer<Shown>, then: (shown: Shown) => Observable<T>): Observable<T> =>
  shown instanceof Promise ? from(shown).pipe(concatMap(then)) : then(shown);

/** The values of one after those of another, at once if they are there. */
const joined = <T>(first: Observable<T>, second: Observable<T>): Observable<T> =>
  first instanceof AtOnce && second instanceof AtOnce
    ? new AtOnce(() => [...first.read(), ...second.read()])
    : from([first, second]).pipe(concatMap((one) => one));

/** The other one's values, if there are none. */
const unlessEmpty = <T>(first: Observable<T>, otherwise: () => Observable<T>): Observable<T> =>
  first.pipe(
    toArray(),
    mergeMap((values) => (values.length > 0 ? from(values) : otherwise())),
  );
