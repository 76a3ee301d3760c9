import { map } from 'rxjs';
import type { Catalog, FindCandidates } from '../../../pipelines/model/index.ts';

/** The feed itself, with its importer's credentials: the last resort for every entry. Errors as `catalog.access` does. */
export const feedCandidates =
  ({ access }: Pick<Catalog, 'access'>): FindCandidates =>
  (entry) =>
    access(entry.importerId).pipe(
      map((access) => ({ entry, source: `feed:${hostOf(entry.url)}`, url: entry.url, access })),
    );

const hostOf = (url: string): string => {
  if (!URL.canParse(url)) return '?';
  const { host, protocol } = new URL(url);
  return host || protocol.slice(0, -1);
};
