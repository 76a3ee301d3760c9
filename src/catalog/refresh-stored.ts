import { apart } from '../repositories/reader/apart.ts';
import { type RefreshOptions, type RefreshResult, refreshRepository } from './refresh-repository.ts';
import type { StoredRepository } from './sqlite/repositories.ts';
import type { Tables } from './sqlite/tables.ts';

/** Refreshes a stored repository in the same way, or with another selection. */
export const refreshStored = (
  catalog: Tables,
  stored: StoredRepository,
  how: Pick<RefreshOptions, 'read' | 'kept' | 'grace' | 'onProgress' | 'selection'>,
): Promise<RefreshResult> => {
  const { prefix, importerId, format, base, selection, strict, every, follows, keyring, metalink } = stored;
  return refreshRepository({
    ...{ catalog, format: apart(format), formatName: format, selection, strict, base, prefix: prefix || '/' },
    ...{ importer: importerId, every, follows, keyring: keyring?.file, metalink, stored, ...how },
  });
};
