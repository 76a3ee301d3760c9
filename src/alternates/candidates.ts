import { fileURLToPath } from 'node:url';
import { catchError, concatMap, EMPTY, from, map, mergeMap, type Observable, of, take, toArray } from 'rxjs';
import {
  type Access,
  type Candidate,
  type Catalog,
  type CatalogEntry,
  type FindCandidates,
  type Location,
  type Offer,
  toStreamError,
} from '../../pipelines/model/index.ts';
import { NOTHING } from '../../pipelines/operators/at-once.ts';
import { parseUrl } from '../lib/url.ts';
import { knownFields } from '../sources/known-fields.ts';
import type { AlternateSource } from './descriptors/parse.ts';

/** The current access to a source; errors if it cannot be determined. */
type AccessOf = (source: AlternateSource) => Observable<Access>;

/**
 * The candidates for an entry's unit at alternate content sources, the lowest priority number
 * first. Offers of unknown sources are skipped. So are offers outside their source's base: they are
 * older than its descriptor, and its credentials are not meant for them.
 *
 * @param present the present sources
 */
export const alternateCandidates =
  (
    catalog: Pick<Catalog, 'offers'>,
    present: () => readonly AlternateSource[],
    accessOf: AccessOf = ({ access }) => of(access),
  ): FindCandidates =>
  (entry) => {
    const sources = present();
    // Most sites have no alternate sources: their requests need not ask the catalog twice.
    if (sources.length === 0) return NOTHING;
    return catalog.offers(entry).pipe(
      toArray(),
      mergeMap((offers) => inOrder(sources, offers)),
      concatMap(([source, offer]) => {
        const { url, ...place } = placeOf(entry, source, offer);
        // The path of an entry may have dots too.
        if (!isBelow({ url }, source)) return EMPTY;
        const found = { entry, source: { kind: 'alternate', id: source.id }, url };
        return accessOf(source).pipe(
          take(1),
          map((access): Candidate => ({ ...found, ...place, access })),
          catchError((error: unknown) => of<Candidate>({ ...found, problem: toStreamError(error) })),
        );
      }),
    );
  };

/** Whether an offer lies within its source's present base. */
export const isBelow = ({ url }: Pick<Offer, 'url'>, { baseUrl }: AlternateSource): boolean =>
  parseUrl(url)?.href.startsWith(baseUrl) ?? false;

/** The sources in the order in which they are tried. */
export const byPriority = (a: AlternateSource, b: AlternateSource): number =>
  a.priority - b.priority || (a.id < b.id ? -1 : 1);

const inOrder = (
  sources: readonly AlternateSource[],
  offers: readonly Offer[],
): Observable<readonly [AlternateSource, Offer]> =>
  from(
    [...sources].sort(byPriority).flatMap((source) => {
      const offer = offers.find(({ sourceId }) => sourceId === source.id);
      return offer && isBelow(offer, source) ? [[source, offer] as const] : [];
    }),
  );

const placeOf = (entry: CatalogEntry, source: AlternateSource, offer: Offer): Location => ({
  url: offer.url.endsWith('/') ? offer.url + pathInUnit(entry.path) : offer.url,
  ...(source.baseUrl.startsWith('file:') && { root: fileURLToPath(source.baseUrl) }),
  ...knownFields(offer.url, entry.path),
});

/**
 * A unit of several files (a distribution) is offered as a folder. Pulp's storage path determines
 * which of its files is meant.
 */
const pathInUnit = (path: string): string => {
  const [, below] = /\/units\/[^/]+\/[0-9a-f]{2}\/[0-9a-f]{62}\/(.+)$/.exec(path) ?? [];
  return (below ?? path.slice(path.lastIndexOf('/') + 1)).split('/').map(encodeURIComponent).join('/');
};
