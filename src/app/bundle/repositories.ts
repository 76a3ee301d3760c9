import { trimPrefix } from '../../catalog/prefix.ts';
import type { CatalogStore } from '../../catalog/store.ts';
import type { StoredRepository } from '../../catalog/stored-repository.ts';
import { maskUrl } from '../../lib/mask.ts';
import { type CarriedRepository, MOST_REPOSITORIES } from './content.ts';

/** The repositories below which everything is carried. Throws if one is not known. */
export const chosenRepositories = async (
  { repositories }: Pick<CatalogStore, 'repositories'>,
  prefixes: readonly string[],
): Promise<readonly StoredRepository[]> => {
  const all = (await repositories.list()).filter(({ format }) => format !== 'raw');
  const known = all.map(({ prefix }) => prefix || '/').join(', ');
  const found =
    prefixes.length === 0
      ? all
      : prefixes.flatMap((prefix) => {
          const those = all.filter((one) => one.prefix === trimPrefix(prefix));
          if (those.length === 0)
            throw new Error(
              `${prefix} is not the prefix of a repository that lists its files; expected ${known || 'one, but there is none'}`,
            );
          return those;
        });
  if (found.length === 0) throw new Error('there is no repository to carry; import or follow one first');
  const twice = found.find((one, at) => found.findIndex(({ prefix }) => prefix === one.prefix) !== at);
  if (twice) throw new Error(`${twice.prefix || '/'}: two repositories have this prefix, or it was named twice`);
  if (found.length > MOST_REPOSITORIES)
    throw new Error(`found ${found.length} repositories, expected at most ${MOST_REPOSITORIES}; name some`);
  return found;
};

/** What a bundle states of a repository. */
export const carriedOf = (
  { prefix, format, base, selection, succeeded }: StoredRepository,
  entries: string,
): CarriedRepository => ({
  ...{ prefix, feed: maskUrl(base), succeeded, entries },
  format: format as CarriedRepository['format'],
  selection: {
    ...(selection.suites && { suites: [...selection.suites] }),
    ...(selection.components && { components: [...selection.components] }),
    ...(selection.architectures && { architectures: [...selection.architectures] }),
    ...(selection.lists && { lists: [...selection.lists] }),
  },
});
