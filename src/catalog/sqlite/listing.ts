import type { Listing } from '../listing.ts';
import type { Tables } from './tables.ts';

/** The embedded catalog as commands show it. Closing the listing closes the catalog. */
export const sqliteListing = ({ entries, importers, units, repositories, close }: Tables): Listing => ({
  entries: entries.list,
  repositories: repositories.list,
  singleEntries: entries.listSingle,
  find: async (path) => entries.find(path),
  unitKey: async (typeId, unitId) => units.find(typeId, unitId),
  importers: () => {
    const counts = entries.countByImporter();
    return importers.list().map((importer) => ({ ...importer, entries: counts.get(importer.id) ?? 0 }));
  },
  importer: async (id) => {
    const importer = importers.get(id);
    return importer && { ...importer, entries: entries.countByImporter().get(id) ?? 0 };
  },
  close: async () => close(),
});
