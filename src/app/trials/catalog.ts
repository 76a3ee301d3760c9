import { existsSync } from 'node:fs';
import type { Db } from 'mongodb';
import { defer, firstValueFrom } from 'rxjs';
import { type Access, type Catalog, StreamError } from '../../../pipelines/model/index.ts';
import { accessOf } from '../../catalog/access.ts';
import type { CatalogStore } from '../../catalog/store.ts';
import type { Settings } from '../../config/schema.ts';
import { isCarried } from '../../lib/carried.ts';
import { rootAt } from '../../lib/plain-path.ts';
import { messageOf } from '../../lib/thrown.ts';
import { databaseOf } from '../database-settings.ts';
import { openOwnCatalog } from '../own-catalog.ts';
import type { Place } from './feeds.ts';
import { type Trial, trying } from './trial.ts';

export interface TriedCatalog {
  readonly trial: Trial;
  /** A place at the feed of each importer. */
  readonly places: readonly Place[];
}

/** Reads the catalog and the feeds that it knows. A missing embedded catalog is not created. */
export const tryCatalog = async (settings: Settings): Promise<TriedCatalog> => {
  let places: readonly Place[] = [];
  const { catalogType } = settings;
  const ask = async (): Promise<string | undefined> => {
    if (catalogType === 'mongodb') places = await askMongo(settings);
    else if (catalogType === 'shared' || existsSync(settings.catalog)) places = await askOwn(settings);
    else return 'does not exist yet; it is created on first use';
    return undefined;
  };
  const what = WHAT[catalogType] ?? `catalog ${settings.catalog}`;
  return { trial: await trying(what, ask, messageOf), places };
};

const WHAT: Readonly<Partial<Record<Settings['catalogType'], string>>> = {
  mongodb: 'database',
  shared: 'shared catalog',
};

const askOwn = async (settings: Settings): Promise<readonly Place[]> => {
  const store = await openOwnCatalog(settings);
  const catalog = { access: (id: string) => defer(() => accessFrom(store, id)) };
  try {
    return await Promise.all(
      (await firstPlaces(store)).map(({ importerId, ...place }) =>
        placeAt({ what: `feed of importer ${importerId}`, ...place }, catalog, importerId),
      ),
    );
  } finally {
    await store.close();
  }
};

const accessFrom = async ({ importers }: CatalogStore, id: string): Promise<Access> => {
  const importer = await importers.get(id);
  if (importer) return accessOf(importer.config);
  throw new StreamError('SOURCE_BROKEN', 'catalog', `importer ${id} is not in the catalog`);
};

/**
 * Each repository that is followed, and the oldest entry of each other importer. Reads until every importer
 * has one, at worst the whole catalog.
 */
const firstPlaces = async ({ entries, importers, repositories }: CatalogStore) => {
  // What a bundle has brought has no feed.
  const withFeed = (await importers.list()).filter(({ config }) => !isCarried(config.feed ?? ''));
  const without = new Set(withFeed.map(({ id }) => id));
  const found: (Pick<Place, 'url' | 'mustBeThere' | 'root'> & { readonly importerId: string })[] = [];
  for (const { format, base, importerId } of (await repositories.list()).filter(({ follows }) => follows)) {
    without.delete(importerId);
    const url = base + (FIRST_FILES[format] ?? '');
    found.push({ importerId, url, mustBeThere: format === 'yum', ...rootAt(base) });
  }
  for await (const { importerId, url, prefix = '' } of without.size > 0 ? entries.list('/', 'age') : []) {
    if (without.delete(importerId))
      found.push({ importerId, url, mustBeThere: true, ...rootAt(await repositories.baseOf({ prefix, importerId })) });
    if (without.size === 0) break;
  }
  return found;
};

/** Others may have a list of another name, or none. */
const FIRST_FILES: Readonly<Record<string, string>> = { yum: 'repodata/repomd.xml', files: 'PULP_MANIFEST' };

/** A file that every repository of a type has. */
const INDICES: Readonly<Record<string, string>> = {
  yum_importer: 'repodata/repomd.xml',
  iso_importer: 'PULP_MANIFEST',
};

const askMongo = async (settings: Settings): Promise<readonly Place[]> => {
  const [{ connectMongo }, { openMongoCatalog }] = await Promise.all([
    import('../../catalog/mongodb/connection.ts'),
    import('../../catalog/mongodb/catalog.ts'),
  ]);
  const maxTimeMS = settings.mongodbTimeout;
  const database = connectMongo(databaseOf(settings), maxTimeMS);
  try {
    const { storageDir, pluginConfigDir } = settings;
    const catalog = openMongoCatalog(database, { storageDir, pluginConfigDir, maxTime: maxTimeMS });
    const importers = await firstValueFrom(
      database.ask(async (db) => {
        await db.collection('lazy_content_catalog').findOne({}, { maxTimeMS });
        if (settings.dispatch === 'deferred') await tryRecording(db, maxTimeMS);
        const projection = { repo_id: 1, importer_type_id: 1, 'config.feed': 1 };
        return db.collection('repo_importers').find({}, { projection, maxTimeMS }).toArray();
      }),
    );
    const withFeed = importers.filter(({ config }) => typeof config?.feed === 'string' && config.feed !== '');
    return await Promise.all(
      withFeed.map(({ _id, repo_id, importer_type_id, config: { feed } }) => {
        const index = INDICES[importer_type_id];
        const url = index === undefined ? feed : `${feed.replace(/\/*$/, '/')}${index}`;
        return placeAt(
          { what: `feed of repository ${repo_id}`, url, mustBeThere: index !== undefined },
          catalog,
          String(_id),
        );
      }),
    );
  } finally {
    await database.close();
  }
};

/** Whether records may be written. Every unit has an id, so this changes none. */
const tryRecording = async (db: Db, maxTimeMS: number): Promise<void> => {
  const none = { unit_id: '', unit_type_id: '' };
  try {
    await db.collection('deferred_download').updateOne(none, { $set: none }, { maxTimeMS });
  } catch (error) {
    throw new Error(`deferred_download cannot be written (dispatch is deferred): ${messageOf(error)}`, {
      cause: error,
    });
  }
};

/** The access is read now, because the catalog is closed before the feed is tried. */
const placeAt = async (
  place: Omit<Place, 'access'>,
  { access }: Pick<Catalog, 'access'>,
  importerId: string,
): Promise<Place> => {
  const asked = firstValueFrom(access(importerId));
  await Promise.allSettled([asked]);
  return { ...place, access: () => asked };
};
