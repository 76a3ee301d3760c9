import type { Db } from 'mongodb';
import { firstValueFrom } from 'rxjs';
import { z } from 'zod';
import { locatorOf } from '../locator.ts';
import type { OfferSearch } from '../offer-search.ts';
import type { Offer } from '../refresh-store.ts';
import type { Connection } from './connection.ts';
import { faultsOf, idOf, newestFirst } from './documents.ts';
import { findEntries } from './entries.ts';
import { findUnitKey } from './offers.ts';

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

const findOffers = async (database: Db, filter: object, maxTimeMS: number): Promise<readonly Offer[]> => {
  const documents = await database.collection('content_catalog').find(filter, { maxTimeMS }).toArray();
  return documents
    .sort((a, b) => newestFirst(b, a))
    .map((document) => {
      const read = schema.safeParse(document);
      if (read.success) return read.data;
      throw new Error(`content_catalog ${idOf(document)}: ${faultsOf(read.error)}`);
    });
};

/**
 * The search in Pulp's database.
 *
 * @param maxTimeMS milliseconds that MongoDB may work on one query; a search by fields reads the
 * whole collection
 */
export const mongoOfferSearch = ({ ask }: Pick<Connection, 'ask'>, maxTimeMS: number): OfferSearch => {
  const asking = <T>(question: (database: Db) => Promise<T>): Promise<T> => firstValueFrom(ask(question));
  return {
    at: (path) =>
      asking(async (database) => {
        const entries = await findEntries(database, path, maxTimeMS);
        if (entries.length === 0) return undefined;
        const types = new Map(entries.map(({ unitTypeId, unitId }) => [unitId, unitTypeId]));
        const offers = await Promise.all(
          [...types].map(async ([id, type]) => {
            const key = await findUnitKey(database, type, id, maxTimeMS);
            return key ? findOffers(database, { locator: locatorOf(type, key) }, maxTimeMS) : [];
          }),
        );
        return offers.flat();
      }),
    find: (type_id, fields) =>
      asking((database) => {
        const ofKey = Object.entries(fields).map(([name, text]) => [
          `unit_key.${name}`,
          // A text of digits may also mean a number.
          { $in: text !== '' && String(Number(text)) === text ? [text, Number(text)] : [text] },
        ]);
        return findOffers(database, { type_id, ...Object.fromEntries(ofKey) }, maxTimeMS);
      }),
  };
};
