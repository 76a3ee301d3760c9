import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { settingsOf } from '../../app/from-settings.ts';
import { openRepositories } from '../../app/metadata.ts';
import { accessOf } from '../../catalog/access.ts';
import { importRepository } from '../../catalog/import.ts';
import type { ImporterConfig } from '../../catalog/importer-config.ts';
import type { SqliteCatalog } from '../../catalog/sqlite/catalog.ts';
import { apart } from '../../repositories/reader/apart.ts';
import { makeCertificates } from './certificates.ts';
import { type DemoFeed, startFeed } from './feed.ts';
import { MISSING_ON_DISK } from './scenes.ts';
import { copyWithout, zoo } from './zoo.ts';

export interface Stage {
  readonly feed: DemoFeed;
  /** Credentials that the feed accepts. */
  readonly invited: ImporterConfig;
  /** The same without the client certificate. */
  readonly stranger: ImporterConfig;
}

/**
 * A private CA, a feed that requires a client certificate, and an alternate source on disk that
 * lacks some of the packages.
 */
export const setStage = async (folder: string): Promise<Stage> => {
  const { ca, server, client } = await makeCertificates(join(folder, 'certificates'));
  const feed = await startFeed(zoo, server, ca);

  const disk = join(folder, 'zoo-on-disk');
  await copyWithout(disk, MISSING_ON_DISK);
  await mkdir(join(folder, 'sources'));
  await writeFile(
    join(folder, 'sources', 'zoo.conf'),
    `[zoo-on-disk]\nenabled: 1\ntype: yum\nbase_url: file://${disk}/\npriority: 0\n`,
  );
  const stranger: ImporterConfig = { feed: feed.url, ssl_ca_cert: ca };
  return {
    feed,
    stranger,
    invited: { ...stranger, ssl_client_cert: client.cert, ssl_client_key: client.key },
  };
};

/**
 * Reads the feed's metadata and makes the entries: once with a client certificate, once without.
 */
export const importZoo = async (catalog: SqliteCatalog, { feed, invited, stranger }: Stage): Promise<number> => {
  const repositories = openRepositories(settingsOf({}));
  const read = repositories.files(accessOf(invited));
  let entries = 0;
  for (const [prefix, config] of [
    ['/zoo', invited],
    ['/zoo-without-certificate', stranger],
  ] as const) {
    const importer = catalog.importers.add({ config }).id;
    const { packages, metadata } = await importRepository({
      catalog,
      format: apart('yum'),
      base: feed.url,
      prefix,
      read,
      importer,
    });
    entries += packages + metadata;
  }
  await repositories.close();
  return entries;
};
