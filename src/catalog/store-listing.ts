import type { Listing } from './listing.ts';
import type { CatalogStore } from './store.ts';

/** A catalog of our own as commands show it. Closing the listing closes the catalog. */
export const storeListing = ({ entries, importers, units, repositories, history, close }: CatalogStore): Listing => ({
  entries: entries.list,
  repositories: async function* () {
    yield* await repositories.list();
  },
  ...(history && { history }),
  singleEntries: entries.listSingle,
  find: async (path) => entries.find(path),
  unitKey: async (typeId, unitId) => units.find(typeId, unitId),
  importers: async function* () {
    const counts = await entries.countByImporter();
    for (const importer of await importers.list()) yield { ...importer, entries: counts.get(importer.id) ?? 0 };
  },
  importer: async (id) => {
    const importer = await importers.get(id);
    return importer && { ...importer, entries: (await entries.countByImporter()).get(id) ?? 0 };
  },
  close: async () => close(),
});
