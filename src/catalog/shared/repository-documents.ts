import { trimPrefix } from '../prefix.ts';
import { toRepository, toRow } from '../sqlite/repository-rows.ts';
import type { RepositoryKey, StoredRepository } from '../stored-repository.ts';
import type { Collections } from './database.ts';
import type { Generation, RepositoryDocument } from './documents.ts';
import type { View } from './view.ts';

/** The columns of SQLite's table, whose texts have what no name of a document can have. */
export const documentOf = (repository: StoredRepository, gen: Generation): RepositoryDocument => {
  const prefix = trimPrefix(repository.prefix);
  return {
    ...toRow(repository),
    _id: `${repository.importerId} ${gen} ${prefix}`,
    gen,
    importer_id: repository.importerId,
    prefix,
  };
};

/** Which document of a repository counts. */
export const which = (view: View, { prefix, importerId }: RepositoryKey) => {
  const key = { prefix: trimPrefix(prefix), importerId };
  return { importer_id: importerId, prefix: key.prefix, gen: view.publicationOf(key)?.gen ?? 0 };
};

export const repositoryOf = async (
  { repositories }: Collections,
  view: View,
  key: RepositoryKey,
): Promise<StoredRepository | undefined> => {
  const found = await repositories.findOne(which(view, key));
  return found ? toRepository(found) : undefined;
};

/** Those that count, by a filter. */
export const repositoriesOf = async (
  { repositories }: Collections,
  view: View,
  filter: object = {},
): Promise<StoredRepository[]> =>
  (await repositories.find(filter).toArray()).filter(view.countsRepository).map(toRepository);
