import type { Db } from 'mongodb';
import type { Offer } from '../../../pipelines/model/index.ts';
import type { UnitKey } from '../../repositories/unit.ts';
import { locatorOf } from '../locator.ts';
import { newestFirst } from './documents.ts';
import { unitsOf } from './units.ts';

/** The fields of a unit's key, by type. Alternate sources offer no units of other types. */
const KEY_FIELDS: Readonly<Record<string, readonly string[]>> = {
  rpm: ['name', 'epoch', 'version', 'release', 'arch', 'checksumtype', 'checksum'],
  srpm: ['name', 'epoch', 'version', 'release', 'arch', 'checksumtype', 'checksum'],
  drpm: ['epoch', 'version', 'release', 'filename', 'checksumtype', 'checksum'],
  distribution: ['distribution_id', 'family', 'variant', 'version', 'arch'],
  iso: ['name', 'checksum', 'size'],
  deb: ['name', 'version', 'architecture', 'checksumtype', 'checksum'],
};

/**
 * A unit's key from `units_{type}`. `undefined` if the unit is unknown, its type has no known key,
 * or a field of the key is missing.
 */
export const findUnitKey = async (
  database: Db,
  typeId: string,
  unitId: string,
  maxTimeMS: number,
): Promise<UnitKey | undefined> => {
  const fields = Object.hasOwn(KEY_FIELDS, typeId) ? KEY_FIELDS[typeId] : undefined;
  if (!fields) return undefined;
  const projection = Object.fromEntries(fields.map((field) => [field, 1]));
  const unit = await unitsOf(database, typeId)?.findOne({ _id: unitId }, { projection, maxTimeMS });
  const parts = fields.flatMap((field): [string, string | number][] => {
    const value = unit?.[field];
    return typeof value === 'string' || typeof value === 'number' ? [[field, value]] : [];
  });
  return parts.length === fields.length ? Object.fromEntries(parts) : undefined;
};

/** Pulp's collection of offers. */
export const CONTENT = 'content_catalog';

/** Offers of one unit that are read: a few of each source. */
const MOST = 10_000;

/** Each source's newest unexpired offer in a collection; `now` in Unix seconds. */
export const findOffers = async (
  database: Db,
  typeId: string,
  key: UnitKey,
  now: number,
  maxTimeMS: number,
  content = CONTENT,
): Promise<readonly Offer[]> => {
  const documents = await database
    .collection(content)
    .find(
      { locator: locatorOf(typeId, key), expiration: { $gte: now } },
      { projection: { source_id: 1, url: 1 }, maxTimeMS },
    )
    .limit(MOST)
    .toArray();
  documents.sort((a, b) => newestFirst(b, a));
  const newest = new Map(
    documents.flatMap(({ source_id, url }) =>
      typeof source_id === 'string' && typeof url === 'string' ? [[source_id, url]] : [],
    ),
  );
  return [...newest].map(([sourceId, url]) => ({ sourceId, url })).sort((a, b) => (a.sourceId < b.sourceId ? -1 : 1));
};
