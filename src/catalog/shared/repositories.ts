import { trimPrefix } from '../prefix.ts';
import type { StoreRepositories } from '../store.ts';
import type { RepositoryKey } from '../stored-repository.ts';
import { PROGRAM } from './database.ts';
import { documentOf, repositoriesOf, repositoryOf, which } from './repository-documents.ts';
import type { Session } from './session.ts';

const ordered = (a: RepositoryKey, b: RepositoryKey): number =>
  a.prefix === b.prefix ? (a.importerId < b.importerId ? -1 : 1) : a.prefix < b.prefix ? -1 : 1;

export const sharedRepositories = (
  { asking, change }: Session,
  followed: StoreRepositories['followed'],
): StoreRepositories => {
  /** Notes what came of a try. It changes no entry, so it waits for no change of another process. */
  const note = (key: RepositoryKey, fields: Readonly<Record<string, string | number | null>>): Promise<void> =>
    asking(async ({ repositories, head }, view) => {
      const { matchedCount } = await repositories.updateOne(which(view, key), { $set: fields });
      if (matchedCount > 0) await head.updateOne({ _id: PROGRAM }, { $inc: { noted: 1 } });
    });
  return {
    followed,
    list: async () => (await asking((collections, view) => repositoriesOf(collections, view))).sort(ordered),
    find: (key) => asking((collections, view) => repositoryOf(collections, view, key)),
    baseOf: async (key) => (await asking((collections, view) => repositoryOf(collections, view, key)))?.base,
    save: (repository) =>
      change(async ({ repositories, view }) => {
        const key = { ...repository, prefix: trimPrefix(repository.prefix) };
        const document = documentOf(repository, which(view, key).gen);
        const { _id, ...fields } = document;
        await repositories.replaceOne({ _id }, fields, { upsert: true });
        return { result: undefined };
      }),
    confirmed: (key, at, { states }) =>
      note(key, {
        ...{ succeeded: at, attempted: at, problem: null, next_try: null },
        root_states: JSON.stringify(states),
      }),
    failed: (key, attempted, problem, nextTry) =>
      note(key, { attempted, problem, ...(nextTry !== undefined && { next_try: nextTry }) }),
  };
};
