import { type Command, InvalidArgumentError } from 'commander';
import type { Checksum } from '../../pipelines/model/entry.ts';
import { StreamError } from '../../pipelines/model/errors.ts';
import type { ListedEntry, Listing } from '../catalog/listing.ts';
import { unitIdOf } from '../catalog/locator.ts';
import type { CatalogStore } from '../catalog/store.ts';
import type { StoredEntry } from '../catalog/stored-entry.ts';
import type { RepositoryKey } from '../catalog/stored-repository.ts';
import { toLine } from '../catalog/to-line.ts';
import { maskUrl } from '../lib/mask.ts';
import { safeJson } from '../lib/safe-json.ts';
import { messageOf } from '../lib/thrown.ts';
import { parseUrl } from '../lib/url.ts';
import { parseChecksum } from '../repositories/checksum.ts';
import {
  type CatalogContext,
  concat,
  map,
  type Output,
  readInput,
  toJsonArray,
  withCatalog,
  withListing,
  writeAll,
} from './catalog-context.ts';
import { addFollowCommand } from './catalog-follow.ts';
import { addImportCommand } from './catalog-import.ts';
import { addLabelCommands } from './catalog-labels.ts';
import { addRefreshCommand } from './catalog-refresh.ts';
import { describeRepository, keptOf, toPlainRepository } from './catalog-repositories.ts';
import { addVacuumCommand } from './catalog-vacuum.ts';
import { counted } from './counted.ts';
import { toPath, toWhole } from './importer-options.ts';
import { oneLine, row } from './one-line.ts';

interface AddOptions {
  readonly checksum?: Checksum;
  readonly size?: number;
  readonly importer?: string;
}

interface RemoveOptions {
  readonly prefix?: string;
  readonly importer?: string;
}

const toChecksumOption = (text: string): Checksum => {
  try {
    return parseChecksum(text);
  } catch (error) {
    throw new InvalidArgumentError(messageOf(error));
  }
};

const summary = (entry: ListedEntry): string => {
  const [size, rest] =
    'problem' in entry ? ['-', `unusable: ${entry.problem}`] : [entry.size ?? '-', maskUrl(entry.url)];
  return row([entry.path, size, rest]);
};

/** An entry in Pulp's field names; the secrets in its URL are masked. */
const toPlain = (entry: ListedEntry): Record<string, unknown> =>
  'problem' in entry ? entry : JSON.parse(toLine(masked(entry)));

const masked = (entry: StoredEntry): StoredEntry => ({
  ...entry,
  url: maskUrl(entry.url),
  data: JSON.parse(JSON.stringify(entry.data), (_, value) => (typeof value === 'string' ? maskUrl(value) : value)),
});

const details = async (listing: Listing, entry: StoredEntry): Promise<Record<string, unknown>> => ({
  ...toPlain(entry),
  unit_key: await listing.unitKey(entry.unitTypeId, entry.unitId),
});

const describe = (fields: Record<string, unknown>): string =>
  Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${oneLine(typeof value === 'object' ? JSON.stringify(value) : String(value))}\n`)
    .join('');

const unknownPath = (path: string): StreamError =>
  new StreamError(
    'NOT_IN_CATALOG',
    'catalog',
    path.startsWith('/') ? `${path} is not in the catalog` : `'${path}' is not a path, expected one that begins with /`,
  );

const toUrl = (text: string): string => {
  if (/^(https?|file):$/.test(parseUrl(text)?.protocol ?? '')) return text;
  throw new InvalidArgumentError('expected a URL of http, https or file.');
};

const addEntry = async (
  catalog: CatalogStore,
  path: string,
  url: string,
  options: AddOptions,
): Promise<StoredEntry> => {
  const { checksum, size } = options;
  if (options.importer !== undefined && !(await catalog.importers.get(options.importer))) {
    throw new Error(`importer ${options.importer} is not in the catalog`);
  }
  const unitKey = {
    name: path.slice(path.lastIndexOf('/') + 1),
    ...(checksum && { checksum: checksum.value }),
    ...(size !== undefined && { size }),
  };
  return catalog.entries.add({
    path,
    url,
    importerId: options.importer ?? (await catalog.importers.ensure({})).id,
    unitId: unitIdOf('iso', { ...unitKey, path }),
    unitTypeId: 'iso',
    unitKey,
    ...(checksum && { checksum }),
    ...(size !== undefined && { size }),
    data: {},
  });
};

const removeEntries = async (
  catalog: CatalogStore,
  path: string | undefined,
  options: RemoveOptions,
): Promise<string> => {
  if (path !== undefined) {
    const removed = await catalog.entries.remove(path, options.importer);
    if (removed === 0) throw unknownPath(path);
    return `removed ${oneLine(path)}\n`;
  }
  const prefix = options.prefix ?? '';
  const before = await catalog.repositories.list();
  const entries = await catalog.entries.removeBelow(prefix, options.importer);
  // One that was not read yet has no entries.
  const left = new Set((await catalog.repositories.list()).map(nameOf));
  const repositories = before.filter((one) => !left.has(nameOf(one))).map((one) => one.prefix || '/');
  const ended = repositories.length > 0 ? `, and what was known of ${repositories.join(', ')}` : '';
  return `removed ${counted(entries, 'entry', 'entries')} below ${oneLine(prefix + ended)}\n`;
};

const nameOf = ({ prefix, importerId }: RepositoryKey): string => `${importerId} ${prefix}`;

/**
 * `catalog import|follow|refresh|add|remove|load`: the entries of the embedded catalog. `catalog list|show|export`:
 * those of the catalog that requests are looked up in.
 */
export const addCatalogCommands = (catalogs: Command, context: CatalogContext): void => {
  const { stdout } = context;
  const leaf = (name: string, description: string): Command =>
    context.prepare(catalogs.command(name).description(description));

  addImportCommand(catalogs, context);
  addFollowCommand(catalogs, context);
  addRefreshCommand(catalogs, context);
  addVacuumCommand(catalogs, context);
  addLabelCommands(catalogs, context);

  leaf('add', 'add one entry, replacing the earlier one of its path and importer')
    .argument('<path>', 'path that clients request', toPath)
    .argument('<url>', 'URL of the content: http, https or file', toUrl)
    .option('--checksum <algorithm:digits>', 'checksum of the content: sha256:0123…', toChecksumOption)
    .option('--size <bytes>', 'length of the content', toWhole)
    .option('--importer <id>', 'importer whose credentials apply (default: none)')
    .action((path: string, url: string, options: AddOptions, command: Command) =>
      withCatalog(context, command, async (catalog) => {
        stdout.write(summary(await addEntry(catalog, path, url, options)));
      }),
    );

  leaf(
    'list [prefix]',
    'list the entries below a prefix: path, size, URL; without one, the imported and followed repositories and all other entries',
  )
    .option('--json', 'print JSON')
    .action((prefix: string | undefined, { json }: { json?: boolean }, command: Command) =>
      withListing(context, command, async (listing) => {
        const repositories = prefix === undefined ? listing.repositories() : [];
        const entries = prefix === undefined ? listing.singleEntries() : listing.entries(prefix);
        const kept = await keptOf(listing);
        return writeAll(
          stdout,
          json
            ? toJsonArray(
                concat(
                  map(repositories, (one) => toPlainRepository(one, kept(one))),
                  map(entries, toPlain),
                ),
              )
            : concat(
                map(repositories, (one) => describeRepository(one, kept(one))),
                map(entries, summary),
              ),
        );
      }),
    );

  leaf('show <path>', 'show all entries of a path, the newest first')
    .option('--json', 'print JSON')
    .action((path: string, { json }: { json?: boolean }, command: Command) =>
      withListing(context, command, async (listing) => {
        const found: Record<string, unknown>[] = [];
        for (const entry of await listing.find(path)) found.push(await details(listing, entry));
        if (found.length === 0) throw unknownPath(path);
        return writeAll(stdout, json ? toJsonArray(found) : [found.map(describe).join('\n')]);
      }),
    );

  leaf('remove [path]', 'remove a path, or all paths below a prefix')
    .option('--prefix <path>', 'remove all paths below this prefix', toPath)
    .option('--importer <id>', 'only entries of this importer')
    .action((path: string | undefined, options: RemoveOptions, command: Command) => {
      if ((path === undefined) === (options.prefix === undefined))
        command.error('error: give either a path or --prefix');
      return withCatalog(context, command, async (catalog) => {
        stdout.write(await removeEntries(catalog, path, options));
      });
    });

  leaf(
    'load <file>',
    'load entries from lines of JSON with the fields of lazy_content_catalog; - is standard input',
  ).action((file: string, _options: unknown, command: Command) =>
    withCatalog(context, command, async (catalog) => {
      const { loadLines } = await import('../catalog/jsonl.ts');
      stdout.write(`loaded ${counted(await loadLines(catalog, file, readInput(file)), 'entry', 'entries')}\n`);
    }),
  );

  leaf('export', 'print all entries as lines of JSON, the oldest first; secrets in their URLs are masked')
    .option('--secrets', 'print passwords and queries of URLs too, so that `load` can read all lines')
    .action(({ secrets = false }: { secrets?: boolean }, command: Command) =>
      withListing(context, command, (listing) => writeAll(stdout, linesOf(listing, secrets, context.stderr))),
    );
};

async function* linesOf(listing: Listing, secrets: boolean, stderr: Output): AsyncGenerator<string> {
  let hidden = 0;
  for await (const entry of listing.entries('/', 'age'))
    if ('problem' in entry) stderr.write(`warning: ${oneLine(entry.path)} is left out: ${oneLine(entry.problem)}\n`);
    else {
      const shown = secrets ? entry : masked(entry);
      if (shown.url !== entry.url) hidden += 1;
      yield `${safeJson(toLine(shown))}\n`;
    }
  if (hidden > 0) stderr.write(`warning: secrets in ${hidden} URLs are masked; --secrets prints them\n`);
}
