import type { CatalogEntry } from '../../../pipelines/index.ts';
import { type Answer, after } from '../../catalog/answer.ts';
import { unitIdOf } from '../../catalog/locator.ts';
import type { CatalogStore } from '../../catalog/store.ts';
import type { StoredRepository } from '../../catalog/stored-repository.ts';
import { rootAt } from '../../lib/plain-path.ts';
import { METADATA } from '../../repositories/format.ts';
import { urlOf } from '../../repositories/relative-path.ts';

/**
 * Whether the feed may have a path that the catalog does not list. The metadata of a yum repository
 * or a manifest lists all files of the folders in which it has packages; the pool of a Debian
 * repository may belong to many suites.
 */
export const mayHave = (
  stored: StoredRepository,
  relative: string,
  { entries, repositories }: Pick<CatalogStore, 'entries' | 'repositories'>,
): Answer<boolean> => {
  if (stored.format === 'raw') return true;
  if (relative === '' || relative.endsWith('/')) return false;
  if (stored.format === 'deb' || !stored.complete) return true;
  const slash = relative.indexOf('/');
  if (slash < 0) return true;
  const folder = `${stored.prefix}/${relative.slice(0, slash)}`;
  const mayShare = ({ prefix, importerId }: StoredRepository): boolean =>
    (prefix !== stored.prefix || importerId !== stored.importerId) &&
    (`${folder}/`.startsWith(`${prefix}/`) || `${prefix}/`.startsWith(`${folder}/`));
  return after(
    repositories.list(),
    (all) => all.some(mayShare) || after(entries.hasPackageBelow(folder, stored), (has) => !has),
  );
};

/** A path as the feed may have it: nothing is known of its content. `maxAge`: milliseconds that caches may keep it. */
export const entryOf = (
  { base, importerId }: Pick<StoredRepository, 'base' | 'importerId'>,
  path: string,
  relative: string,
  maxAge: number,
): CatalogEntry => ({
  path,
  importerId,
  unitId: unitIdOf(METADATA, { name: path }),
  unitTypeId: METADATA,
  url: urlOf(base, relative),
  ...rootAt(base),
  revision: 0,
  maxAge,
  data: {},
});
