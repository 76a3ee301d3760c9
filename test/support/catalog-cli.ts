import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Command } from 'commander';
import { settingsOf } from '../../src/app/from-settings.ts';
import { openRepositories } from '../../src/app/metadata.ts';
import { vacuumCatalog } from '../../src/app/vacuum.ts';
import { accessOf } from '../../src/catalog/access.ts';
import type { ImporterConfig } from '../../src/catalog/importer-config.ts';
import { metadataFiles } from '../../src/catalog/metadata-files.ts';
import { openSqliteCatalog } from '../../src/catalog/sqlite/catalog.ts';
import { storeListing } from '../../src/catalog/store-listing.ts';
import { addCatalogCommands } from '../../src/cli/catalog.ts';
import { addImporterCommands } from '../../src/cli/importers.ts';
import { rootAt } from '../../src/lib/plain-path.ts';
import { LIMITS } from '../../src/repositories/reader/guard.ts';

/** A catalog in a folder, and its commands. */
export const makeCatalogCli = (folder: string, { terminal = false } = {}) => {
  const file = join(folder, 'catalog.db');
  const configs: ImporterConfig[] = [];
  const run = async (...args: string[]): Promise<{ out: string; err: string }> => {
    const stdout = new PassThrough();
    const stderr = Object.assign(new PassThrough(), { isTTY: terminal });
    const program = new Command('pulp-streamer').configureOutput({ writeErr: () => {}, writeOut: () => {} });
    const context = {
      prepare: (command: Command) => command.exitOverride().configureOutput({ writeErr: () => {} }),
      openCatalog: () => openSqliteCatalog(file),
      openListing: async () => storeListing(openSqliteCatalog(file)),
      vacuum: () => vacuumCatalog(settingsOf({ stateDir: folder })),
      openFeed: async (config: ImporterConfig, _: Command, base?: string) => {
        configs.push(config);
        const { files, probe, close } = openRepositories(settingsOf({}));
        const access = accessOf(config);
        return {
          read: files(access, rootAt(base)),
          probe: (url: string, size?: number) => probe({ ...access, ...rootAt(base) }, url, size),
          kept: metadataFiles(join(folder, 'metadata')),
          grace: 0,
          keepRevisions: 0,
          limits: LIMITS,
          close,
        };
      },
      stdout,
      stderr,
    };
    addCatalogCommands(program.exitOverride().command('catalog'), context);
    addImporterCommands(program.command('importers'), context);
    const collected = Promise.all([collect(stdout), collect(stderr)]);
    try {
      await program.parseAsync(args, { from: 'user' });
    } finally {
      stdout.end();
      stderr.end();
    }
    const [out, err] = await collected;
    return { out, err };
  };
  const write = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  return { run, write, configs };
};

const collect = async (stream: PassThrough): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
};
