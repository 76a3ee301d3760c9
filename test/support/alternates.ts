import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { OpenSource } from '../../pipelines/index.ts';
import type { AlternateSource } from '../../src/alternates/descriptors/parse.ts';
import { type Alternates, type AlternatesParts, openAlternates } from '../../src/alternates/open.ts';
import { settingsOf } from '../../src/app/from-settings.ts';
import { openMetadata } from '../../src/app/metadata.ts';
import { openSqliteCatalog, type SqliteCatalog } from '../../src/catalog/sqlite/catalog.ts';
import { sqliteRefreshStore } from '../../src/catalog/sqlite/refresh-store.ts';
import { parseDescriptor } from '../../src/config/ini.ts';
import { createSources } from '../../src/sources/open.ts';
import { withLimits } from '../../src/sources/source-limits.ts';
import { feedSettings } from './feed-settings.ts';

/**
 * Alternate sources with a catalog, a folder of descriptors and real sources, all in one folder.
 */
export interface TestAlternates extends Alternates {
  readonly catalog: SqliteCatalog;
  readonly open: OpenSource;
  /** Writes a descriptor with the required keys, and reloads the folder. */
  describe(id: string, base: string, more?: Readonly<Record<string, string | number>>): AlternateSource;
  end(): Promise<void>;
}

export const makeAlternates = (folder: string, parts: Partial<AlternatesParts> = {}): TestAlternates => {
  const descriptors = join(folder, 'conf.d');
  mkdirSync(descriptors, { recursive: true });
  const catalog = openSqliteCatalog(join(folder, 'catalog.db'));
  const sources = createSources(feedSettings());
  const open = withLimits(sources.open, { timeoutMs: 10_000 });
  const alternates = openAlternates({
    folder: descriptors,
    parse: parseDescriptor,
    catalog,
    store: sqliteRefreshStore(catalog),
    open,
    files: openMetadata(open, settingsOf({})),
    random: () => 0,
    ...parts,
  });
  let present: readonly AlternateSource[] = [];
  alternates.descriptors.subscribe((now) => {
    present = now.sources;
  });
  return {
    ...alternates,
    catalog,
    open,
    describe: (id, base, more = {}) => {
      writeFileSync(join(descriptors, `${id}.conf`), descriptorOf(id, base, more));
      alternates.reload();
      const found = present.find((source) => source.id === id);
      if (!found) throw new Error(`descriptor ${id} was not accepted`);
      return found;
    },
    end: async () => {
      alternates.close();
      await sources.close();
      catalog.close();
    },
  };
};

export const descriptorOf = (
  id: string,
  base: string,
  more: Readonly<Record<string, string | number>> = {},
): string => {
  const baseUrl = base.includes('://') ? base : pathToFileURL(base).href;
  const all = { enabled: 1, type: 'yum', base_url: baseUrl, ...more };
  return `[${id}]\n${Object.entries(all)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('')}`;
};
