import { apart } from '../repositories/reader/apart.ts';
import { type RefreshOptions, type RefreshResult, refreshRepository } from './refresh-repository.ts';
import type { CatalogStore } from './store.ts';
import type { StoredRepository } from './stored-repository.ts';

/** Refreshes a stored repository in the same way, or with another selection. */
export const refreshStored = (
  catalog: CatalogStore,
  stored: StoredRepository,
  how: Pick<RefreshOptions, 'read' | 'kept' | 'grace' | 'keepRevisions' | 'onProgress' | 'selection' | 'limits'>,
): Promise<RefreshResult> => {
  const { prefix, importerId, format, base, selection, strict, every, follows, keyring, metalink } = stored;
  return refreshRepository({
    ...{ catalog, format: apart(format), formatName: format, selection, strict, base, prefix: prefix || '/' },
    ...{ importer: importerId, every, follows, keyring: keyring?.file, metalink, stored, ...how },
  });
};
