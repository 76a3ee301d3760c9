import type { OfferSearch } from '../offer-search.ts';
import type { Tables } from './tables.ts';

/** The search in the embedded catalog. */
export const sqliteOfferSearch = ({
  entries,
  units,
  refreshes,
}: Pick<Tables, 'entries' | 'units' | 'refreshes'>): OfferSearch => ({
  at: async (path) => {
    const found = entries.find(path);
    if (found.length === 0) return undefined;
    const types = new Map(found.map(({ unitTypeId, unitId }) => [unitId, unitTypeId]));
    return [...types].flatMap(([id, type]) => {
      const key = units.find(type, id);
      return key ? refreshes.offers(type, key) : [];
    });
  },
  find: async (typeId, fields) => refreshes.search(typeId, fields),
});
