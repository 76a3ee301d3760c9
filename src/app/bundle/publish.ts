import { isDeepStrictEqual } from 'node:util';
import type { CatalogStore, Importer } from '../../catalog/store.ts';
import type { StoredRepository } from '../../catalog/stored-repository.ts';
import type { Settings } from '../../config/schema.ts';
import { carriedUrl, isCarried } from '../../lib/carried.ts';
import { METADATA } from '../../repositories/format.ts';
import { graceOf } from '../from-settings.ts';
import type { Checked } from './check.ts';
import type { CarriedEntry, CarriedRepository } from './content.ts';

/** What the catalog has of a repository that a bundle has brought. */
export interface ImportedRepository {
  readonly prefix: string;
  readonly packages: number;
  readonly metadata: number;
  /** Ids of the importers that also have entries below its prefix. */
  readonly others: readonly string[];
}

/** What was at the prefixes of a bundle before its files were put in their places. */
export interface Claim {
  /** Rejects if one of them is no longer as it was. */
  check(): Promise<void>;
  /** The same for one of them, at the moment of its publication by an importer. */
  permit(repository: CarriedRepository, importerId: string): (stored: readonly StoredRepository[]) => void;
  /** The importer of a repository, and what removes it again if it was made for it. */
  importerOf(repository: CarriedRepository): Promise<{ readonly id: string; readonly undo: () => Promise<unknown> }>;
}

/** Marks the importers whose entries bundles have brought. */
const TYPE = 'pulp_streamer_bundle';
const BATCH = 200;

const named = (prefix: string): string => prefix || '/';
const how = ({ follows, base }: StoredRepository): string => `${follows ? 'followed' : 'imported'} from ${base}`;
const FREE = 'remove it first (catalog remove --prefix), or leave it out of the bundle';

/** Whether one prefix is below the other. */
const overlap = (one: string, other: string): boolean =>
  one !== other && (`${one}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${one}/`));

/** Throws if something else than what the importer has is at a prefix, or hides it. */
const refuseTaken = (stored: readonly StoredRepository[], prefix: string, importerId: string | undefined): void => {
  const other = stored.find((one) => one.prefix === prefix && one.importerId !== importerId);
  if (other && !isCarried(other.base)) throw new Error(`${named(prefix)} is ${how(other)} on this machine; ${FREE}`);
  const overlapping = stored.find((one) => !isCarried(one.base) && overlap(one.prefix, prefix));
  if (overlapping)
    throw new Error(
      `${named(prefix)} overlaps ${named(overlapping.prefix)}, which is ${how(overlapping)} on this machine: files of one would hide those of the other; ${FREE}`,
    );
  if (other)
    throw new Error(
      `${named(prefix)} was brought by a bundle of ${other.base}; remove it first (catalog remove --prefix)`,
    );
};

/** Rejects unless nothing else is at the prefixes of some repositories. */
export const claimPrefixes = async (own: CatalogStore, repositories: readonly CarriedRepository[]): Promise<Claim> => {
  const before = await own.repositories.list();
  const ofBundles = async ({ feed }: CarriedRepository): Promise<Importer | undefined> =>
    (await own.importers.list()).find(({ typeId, config }) => typeId === TYPE && config.feed === carriedUrl(feed));
  for (const repository of repositories) refuseTaken(before, repository.prefix, (await ofBundles(repository))?.id);
  const refuseChanged = (
    stored: readonly StoredRepository[],
    { prefix }: CarriedRepository,
    id: string | undefined,
  ) => {
    refuseTaken(stored, prefix, id);
    const [then, now] = [before, stored].map((all) =>
      all.find((one) => one.prefix === prefix && one.importerId === id),
    );
    if (!isDeepStrictEqual(then, now))
      throw new Error(
        `${named(prefix)} was ${now ? 'imported from another bundle' : 'removed'} while this one was read; nothing of it was changed, import this one again if it is the one that you want`,
      );
  };
  return {
    check: async () => {
      const stored = await own.repositories.list();
      for (const repository of repositories) refuseChanged(stored, repository, (await ofBundles(repository))?.id);
    },
    permit: (repository, importerId) => (stored) => refuseChanged(stored, repository, importerId),
    importerOf: async (repository) => {
      const found = await ofBundles(repository);
      if (found) return { id: found.id, undo: async () => {} };
      const { id } = await own.importers.add({ typeId: TYPE, config: { feed: carriedUrl(repository.feed) } });
      return { id, undo: async () => own.importers.remove(id) };
    },
  };
};

/**
 * Publishes the entries of a repository, in place of those that an earlier bundle has brought. Rejects,
 * and leaves the catalog as it is, if something else has come to its prefix.
 */
export const publish = async (
  own: CatalogStore,
  checked: Checked,
  repository: CarriedRepository,
  claim: Claim,
  settings: Settings,
): Promise<ImportedRepository> => {
  const { id: importerId, undo } = await claim.importerOf(repository);
  const now = Date.now() / 1000;
  const { prefix, format, feed, selection, succeeded } = repository;
  const staging = await own.entries.stage();
  let [packages, metadata] = [0, 0];
  try {
    let batch: CarriedEntry[] = [];
    for await (const entry of checked.entriesOf(repository)) {
      if (entry.unitTypeId === METADATA) metadata += 1;
      else packages += 1;
      if (batch.push({ ...entry, importerId }) < BATCH) continue;
      await staging.write(batch);
      batch = [];
    }
    await staging.write(batch);
    await staging.publishRevision(importerId, prefix, {
      permit: claim.permit(repository, importerId),
      grace: { now, seconds: graceOf(settings) },
      keeping: {
        get now() {
          return Date.now() / 1000;
        },
        seconds: settings.keepRevisions / 1000,
      },
      repository: () => ({
        ...{ prefix, importerId, format, base: carriedUrl(feed), selection, strict: false },
        ...{ packages, metadata, succeeded, attempted: now },
      }),
    });
    const others = (await own.entries.importersBelow(named(prefix))).filter((id) => id !== importerId);
    return { prefix: named(prefix), packages, metadata, others };
  } catch (error) {
    // Another process may have begun to use it.
    await undo().catch(() => {});
    throw error;
  } finally {
    await staging.discard();
  }
};
