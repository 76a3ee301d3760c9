import type { Db } from 'mongodb';
import { firstValueFrom } from 'rxjs';
import { z } from 'zod';
import type { UnitKey } from '../../repositories/unit.ts';
import { locatorOf } from '../locator.ts';
import type { OfferSearch } from '../offer-search.ts';
import type { Offer } from '../refresh-store.ts';
import type { Connection } from './connection.ts';
import { faultsOf, idOf, newestFirst } from './documents.ts';
import { findEntries } from './entries.ts';
import { CONTENT, findUnitKey } from './offers.ts';

/** A document of `content_catalog`. */
const schema = z
  .object({
    source_id: z.string(),
    type_id: z.string(),
    unit_key: z.record(z.string(), z.union([z.string(), z.number()])),
    url: z.string(),
    expiration: z.number(),
  })
  .transform(
    ({ source_id, type_id, unit_key, url, expiration }): Offer => ({
      sourceId: source_id,
      typeId: type_id,
      unitKey: unit_key,
      url,
      expiration,
    }),
  );

const findOffers = async (
  database: Db,
  content: string,
  filter: object,
  maxTimeMS: number,
): Promise<readonly Offer[]> => {
  const documents = await database.collection(content).find(filter, { maxTimeMS }).toArray();
  return documents
    .sort((a, b) => newestFirst(b, a))
    .map((document) => {
      const read = schema.safeParse(document);
      if (read.success) return read.data;
      throw new Error(`${content} ${idOf(document)}: ${faultsOf(read.error)}`);
    });
};

/** Where the search finds offers, and the units at a path. */
export interface SearchedPlaces {
  /** The collection of offers. */
  readonly content: string;
  /** The units of a path's entries, with their keys if known; `undefined` if there is no entry. */
  readonly unitsAt: (database: Db, path: string) => Promise<readonly SearchedUnit[] | undefined>;
}

interface SearchedUnit {
  readonly typeId: string;
  readonly key: UnitKey | undefined;
}

/**
 * The search for operators in a database; by default Pulp's.
 *
 * @param maxTimeMS milliseconds that MongoDB may work on one query; a search by fields reads the
 * whole collection
 */
export const mongoOfferSearch = (
  { ask }: Pick<Connection, 'ask'>,
  maxTimeMS: number,
  { content, unitsAt }: SearchedPlaces = inPulp(maxTimeMS),
): OfferSearch => {
  const asking = <T>(question: (database: Db) => Promise<T>): Promise<T> => firstValueFrom(ask(question));
  return {
    at: (path) =>
      asking(async (database) => {
        const units = await unitsAt(database, path);
        const offers = units?.map(({ typeId, key }) =>
          key ? findOffers(database, content, { locator: locatorOf(typeId, key) }, maxTimeMS) : [],
        );
        return offers && (await Promise.all(offers)).flat();
      }),
    find: (type_id, fields) =>
      asking((database) => {
        const ofKey = Object.entries(fields).map(([name, text]) => [
          `unit_key.${name}`,
          // A text of digits may also mean a number.
          { $in: text !== '' && String(Number(text)) === text ? [text, Number(text)] : [text] },
        ]);
        return findOffers(database, content, { type_id, ...Object.fromEntries(ofKey) }, maxTimeMS);
      }),
  };
};

const inPulp = (maxTimeMS: number): SearchedPlaces => ({
  content: CONTENT,
  unitsAt: async (database, path) => {
    const entries = await findEntries(database, path, maxTimeMS);
    if (entries.length === 0) return undefined;
    const types = new Map(entries.map(({ unitTypeId, unitId }) => [unitId, unitTypeId]));
    return Promise.all(
      [...types].map(async ([id, typeId]) => ({ typeId, key: await findUnitKey(database, typeId, id, maxTimeMS) })),
    );
  },
});
