import { isDeepStrictEqual } from 'node:util';
import { Argument, type Command } from 'commander';
import type { ImporterConfig } from '../catalog/importer-config.ts';
import { readMirrorList } from '../catalog/mirror-list.ts';
import { keyringOf } from '../catalog/refresh-repository.ts';
import type { CatalogStore } from '../catalog/store.ts';
import type { StoredRepository } from '../catalog/stored-repository.ts';
import { type CatalogContext, withCatalog } from './catalog-context.ts';
import { describeRepository, toPlainRepository } from './catalog-repositories.ts';
import { refuseForeign, refuseMissing, resolveSource } from './import-source.ts';
import { addImporterOptions, toPath } from './importer-options.ts';
import { asJson } from './one-line.ts';
import {
  chooseImporter,
  configFor,
  keyringFileOf,
  type RepositoryOptions,
  warnOfOthers,
} from './repository-options.ts';

/** `raw`: a tree without metadata. */
const FORMATS = ['yum', 'deb', 'files', 'raw'] as const;
type FormatName = (typeof FORMATS)[number];

const follow = async (
  context: CatalogContext,
  catalog: CatalogStore,
  format: FormatName,
  source: string,
  options: RepositoryOptions,
  command: Command,
): Promise<StoredRepository> => {
  refuseForeign(format, options);
  const file = keyringFileOf(format, options);
  const keyring = file === undefined ? undefined : await keyringOf(file);
  const config: ImporterConfig = await configFor(catalog, options);
  const readList = () => mirrorsOf(context, config, source, command);
  const { base, suites, mirrors, metalink } = await resolveSource(format, source, options.suite, readList);
  refuseMissing(format, base);
  const { importer } = await chooseImporter(catalog, config, options.importer, mirrors);
  const key = { prefix: options.prefix.replace(/\/+$/, ''), importerId: importer.id };
  const { component: components, arch: architectures, list: lists } = options;
  const found = await catalog.repositories.find(key);
  const isSame = found?.format === format && found.base === base && isDeepStrictEqual(found.keyring, keyring);
  const known = isSame ? found : undefined;
  const selection = JSON.parse(
    JSON.stringify({ suites: suites ?? suitesOf(format, known), components, architectures, lists }),
  );
  const repository: StoredRepository = {
    // What is known of it is only compared with its feed. Another selection is read.
    ...(known ?? { packages: 0, metadata: 0, succeeded: 0, attempted: 0 }),
    ...(known && !isDeepStrictEqual(known.selection, selection) && { roots: undefined }),
    ...{ ...key, format, base, selection, strict: false, follows: true, every: undefined, nextTry: undefined },
    keyring,
    metalink,
  };
  // A prefix follows one feed. Entries of others stay until they are removed.
  for (const other of await catalog.repositories.list())
    if (other.follows && other.prefix === key.prefix && other.importerId !== key.importerId)
      await catalog.repositories.save({ ...other, follows: false });
  await catalog.repositories.save(repository);
  return repository;
};

/** Those that were imported, or that clients have asked for, stay. */
const suitesOf = (format: FormatName, known: StoredRepository | undefined): readonly string[] | undefined => {
  if (format !== 'deb') return undefined;
  return known ? (known.selection.suites ?? ['./']) : [];
};

const mirrorsOf = async (context: CatalogContext, config: ImporterConfig, list: string, command: Command) => {
  const feed = await context.openFeed(config, command);
  try {
    return await readMirrorList(feed.read, list);
  } finally {
    await feed.close();
  }
};

/** `catalog follow`: a repository that the daemon reads when clients first ask for it, and whenever it has changed. */
export const addFollowCommand = (catalogCommand: Command, context: CatalogContext): void => {
  const command = catalogCommand
    .command('follow')
    .description(
      'serve a repository without importing it: the daemon reads its metadata when clients first ask for it, and again when the feed has changed it',
    )
    .addArgument(new Argument('<format>', 'type of the repository; raw: any tree of files').choices(FORMATS))
    .argument(
      '<source>',
      'URL (http, https, file) or folder of the repository, or URL of a metalink or list of mirrors',
    )
    .requiredOption('--prefix <path>', 'prefix of its paths: PREFIX/relative/path', toPath)
    .option('--importer <id>', 'use the credentials of an importer instead of options')
    .option(
      '--suite <name...>',
      'deb: names below dists/, or for a flat repository a folder that ends with /; others are added when clients ask for them',
    )
    .option('--component <name...>', 'deb: read only the indices of these components')
    .option(
      '--arch <name...>',
      'deb: read only the indices of these architectures; source packages are those of `source`',
    )
    .option('--list <file...>', 'checksum lists in the repository, such as SHA256SUMS, whose files are verified too')
    .option(
      '--keyring <file>',
      'yum, deb: take only metadata that is signed by a key of this file: OpenPGP keys, binary or ASCII-armoured',
    )
    .option('--json', 'print the repository as JSON');
  addImporterOptions(context.prepare(command)).action(
    (format: FormatName, source: string, options: RepositoryOptions) =>
      withCatalog(context, command, async (catalog) => {
        const repository = await follow(context, catalog, format, source, options, command);
        await warnOfOthers(context, catalog, options.prefix, repository.importerId);
        context.stdout.write(
          options.json ? `${asJson(toPlainRepository(repository))}\n` : describeRepository(repository),
        );
      }),
  );
};
