import type { CatalogStore, Importer } from '../../catalog/store.ts';
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
}

/** Marks the importers whose entries bundles have brought. */
const TYPE = 'pulp_streamer_bundle';
const BATCH = 200;

/** Whether one prefix is below the other. */
const overlap = (one: string, other: string): boolean =>
  one !== other && (`${one}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${one}/`));

/** Finds the importer of each repository, once nothing else is at its prefix. It is made when it is asked for. */
export const importersOf = async (own: CatalogStore, repositories: readonly CarriedRepository[]) => {
  const importers = await own.importers.list();
  const ofBundles = (feed: string): Importer | undefined =>
    importers.find(({ typeId, config }) => typeId === TYPE && config.feed === feed);
  const known = await own.repositories.list();
  for (const { prefix, feed } of repositories) {
    const other = known.find((one) => one.prefix === prefix && one.importerId !== ofBundles(carriedUrl(feed))?.id);
    if (other && !isCarried(other.base))
      throw new Error(
        `${prefix || '/'} is ${other.follows ? 'followed' : 'imported'} from ${other.base} on this machine; remove it first (catalog remove --prefix), or leave it out of the bundle`,
      );
    const overlapping = known.find((one) => !isCarried(one.base) && overlap(one.prefix, prefix));
    if (overlapping)
      throw new Error(
        `${prefix || '/'} overlaps ${overlapping.prefix || '/'}, which is ${overlapping.follows ? 'followed' : 'imported'} from ${overlapping.base} on this machine: files of one would hide those of the other; remove it first (catalog remove --prefix), or leave it out of the bundle`,
      );
    if (other)
      throw new Error(
        `${prefix || '/'} was brought by a bundle of ${other.base}; remove it first (catalog remove --prefix)`,
      );
  }
  return async ({ feed }: CarriedRepository): Promise<string> => {
    const made =
      ofBundles(carriedUrl(feed)) ?? (await own.importers.add({ typeId: TYPE, config: { feed: carriedUrl(feed) } }));
    importers.push(made);
    return made.id;
  };
};

/** Publishes the entries of a repository, in place of those that an earlier bundle has brought. */
export const publish = async (
  own: CatalogStore,
  checked: Checked,
  repository: CarriedRepository,
  importerId: string,
  settings: Settings,
): Promise<ImportedRepository> => {
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
    return { prefix: prefix || '/', packages, metadata };
  } finally {
    await staging.discard();
  }
};
