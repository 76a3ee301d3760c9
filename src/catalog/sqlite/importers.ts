import { randomBytes } from 'node:crypto';
import type { DatabaseSync } from 'node:sqlite';
import { type ImporterConfig, parseImporterConfig } from '../importer-config.ts';
import { configText, type Importer, type StoreImporters, type Synchronous } from '../store.ts';

/** `repo_importers`. `get` returns the same object as long as its row is unchanged. */
export type Importers = Synchronous<StoreImporters>;

const toImporter = (row: Record<string, unknown>): Importer => ({
  id: String(row.id),
  ...(row.repo_id !== null && { repoId: String(row.repo_id) }),
  ...(row.importer_type_id !== null && { typeId: String(row.importer_type_id) }),
  config: parseImporterConfig(String(row.id), JSON.parse(String(row.config))),
});

export const makeImporters = (database: DatabaseSync): Importers => {
  const byId = database.prepare('SELECT * FROM repo_importers WHERE id = ?');
  const byConfig = database.prepare('SELECT * FROM repo_importers WHERE config = ? ORDER BY rowid');
  const all = database.prepare('SELECT * FROM repo_importers ORDER BY rowid');
  const insert = database.prepare(
    'INSERT INTO repo_importers (id, repo_id, importer_type_id, config) VALUES (?, ?, ?, ?)',
  );
  const update = database.prepare('UPDATE repo_importers SET config = ? WHERE id = ?');
  const remove = database.prepare('DELETE FROM repo_importers WHERE id = ?');
  // A followed repository that was not read yet has no entries.
  const used = database.prepare(
    `SELECT prefix || '/' AS path FROM repositories WHERE importer_id = :id
     UNION ALL SELECT path FROM lazy_content_catalog WHERE importer_id = :id LIMIT 1`,
  );

  const add = (importer: Omit<Importer, 'id'>): Importer => {
    const id = randomBytes(12).toString('hex');
    insert.run(id, importer.repoId ?? null, importer.typeId ?? null, configText(importer.config));
    return { id, ...importer };
  };

  const find = (config: ImporterConfig): Importer | undefined => {
    const row = byConfig.get(configText(config));
    return row && toImporter(row);
  };

  // Every request needs its importer. Rows are read again only after a commit of another process, and
  // parsed again only if they changed.
  const version = database.prepare('PRAGMA data_version');
  const known = new Map<string, { readonly row: Record<string, unknown>; readonly importer: Importer }>();
  const current = new Map<string, Importer>();
  let read: unknown;
  const isKnown = (row: Record<string, unknown>, known: Record<string, unknown>) =>
    row.config === known.config && row.repo_id === known.repo_id && row.importer_type_id === known.importer_type_id;

  return {
    get: (id) => {
      const now = version.get()?.data_version;
      if (now !== read) current.clear();
      read = now;
      const found = current.get(id);
      if (found) return found;
      const row = byId.get(id);
      const last = known.get(id);
      const importer = row && last && isKnown(row, last.row) ? last.importer : row && toImporter(row);
      if (row && importer) {
        known.set(id, { row, importer });
        current.set(id, importer);
      } else known.delete(id);
      return importer;
    },
    list: () => all.all().map(toImporter),
    add,
    find,
    ensure: (config) => find(config) ?? add({ config }),
    change: (id, config) => {
      current.delete(id);
      update.run(configText(config), id);
    },
    remove: (id) => {
      const user = used.get({ id });
      if (user) throw new Error(`importer ${id} is in use, for example by ${user.path}; remove its entries first`);
      current.delete(id);
      return remove.run(id).changes > 0;
    },
  };
};
