import type { KeptRevision, Label, RevisionKey } from '../history.ts';
import type { RepositoryKey } from '../stored-repository.ts';
import type { Collections } from './database.ts';
import type { Generation } from './documents.ts';
import type { RevisionDocument } from './history-documents.ts';
import type { View } from './view.ts';

export const ofKey = ({ prefix, importerId }: RepositoryKey) => ({ importer_id: importerId, prefix });

const byPrefix = (prefix: string | undefined) => (prefix === undefined ? {} : { prefix });

/** Those that count, each repository's in their order. */
export const revisionsOf = async (
  { revisions }: Collections,
  { head }: View,
  filter: object,
): Promise<KeptRevision[]> => {
  const all = (await revisions.find(filter).toArray())
    .filter(({ gen }) => gen <= head.version)
    .sort((a, b) => a.revision - b.revision);
  const byRepository = Map.groupBy(all, ({ importer_id, prefix }) => `${importer_id} ${prefix}`);
  return [...byRepository.values()].flatMap((own) => {
    const kept = own.slice(
      Math.max(
        0,
        own.findLastIndex(({ starts }) => starts),
      ),
    );
    return kept.map((one, at) => toRevision(one, kept[at + 1]));
  });
};

const toRevision = (one: RevisionDocument, next: RevisionDocument | undefined): KeptRevision => {
  const superseded = one.superseded ?? next?.published;
  const { prefix, importer_id: importerId, revision, published, packages, metadata } = one;
  return {
    ...{ prefix, importerId, revision, published, packages, metadata },
    ...(superseded !== undefined && { superseded }),
  };
};

export const labelsOf = async ({ labels }: Collections, prefix: string | undefined): Promise<Label[]> =>
  (await labels.find(byPrefix(prefix)).sort({ prefix: 1, name: 1 }).toArray()).flatMap(
    ({ prefix: own, name, named, moved }) =>
      named.map(({ importer_id: importerId, revision }) => ({ prefix: own, name, importerId, revision, moved })),
  );

export const idOfRevision = ({ prefix, importerId, revision }: RevisionKey, gen: Generation): string =>
  `${importerId} ${revision} ${gen} ${prefix}`;

/** Forgets the earlier revisions of repositories, and their labels. */
export const forget = async (
  { revisions, labels, before }: Collections,
  filter: object,
  importerId?: string,
): Promise<void> => {
  const own = importerId === undefined ? filter : { ...filter, importer_id: importerId };
  await revisions.deleteMany(own);
  if (importerId === undefined) await labels.deleteMany(filter);
  else await pull(labels, filter, importerId);
  await before.deleteMany(own);
};

const pull = async (labels: Collections['labels'], filter: object, importerId: string): Promise<void> => {
  await labels.updateMany(filter, { $pull: { named: { importer_id: importerId } } });
  await labels.deleteMany({ ...filter, named: { $size: 0 } });
};

export const forgetLabels = ({ labels }: Collections, { prefix, importerId }: RepositoryKey): Promise<void> =>
  pull(labels, { prefix }, importerId);

/** Removes what an earlier change has left of revisions that do not count any more. */
export const removeForgotten = async (
  { revisions, before }: Collections,
  key: RepositoryKey,
  kept: readonly KeptRevision[],
): Promise<void> => {
  const [oldest] = kept;
  if (!oldest) return;
  await revisions.deleteMany({ ...ofKey(key), revision: { $lt: oldest.revision } });
  const needless = kept.length > 1 ? { until: { $lte: oldest.revision } } : {};
  await before.deleteMany({ ...ofKey(key), ...needless });
};
