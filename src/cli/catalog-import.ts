import { Argument, type Command, InvalidArgumentError } from 'commander';
import { StreamError } from '../../pipelines/model/errors.ts';
import type { ImporterConfig } from '../catalog/importer-config.ts';
import { readMirrorList } from '../catalog/mirror-list.ts';
import { type RefreshResult, refreshRepository } from '../catalog/refresh-repository.ts';
import type { CatalogStore } from '../catalog/store.ts';
import { age } from '../config/kinds.ts';
import { messageOf } from '../lib/thrown.ts';
import { apart } from '../repositories/reader/apart.ts';
import { type CatalogContext, withCatalog } from './catalog-context.ts';
import { countedFiles, toDate } from './catalog-repositories.ts';
import { counted } from './counted.ts';
import { importProgress } from './import-progress.ts';
import { refuseForeign, resolveSource } from './import-source.ts';
import { addImporterOptions, toPath } from './importer-options.ts';
import { asJson, oneLine } from './one-line.ts';
import {
  chooseImporter,
  configFor,
  keyringFileOf,
  type RepositoryOptions,
  warnOfOthers,
} from './repository-options.ts';

const FORMATS = ['yum', 'deb', 'files'] as const;
type FormatName = (typeof FORMATS)[number];

interface Options extends RepositoryOptions {
  readonly strict?: boolean;
  readonly every?: number;
}

/** The result of an import on one line. */
export const describeImport = ({ unchanged, ...result }: RefreshResult, prefix: string): string => {
  const { packages, metadata, removed, revision, leftOut } = result;
  const change = unchanged
    ? ', unchanged'
    : removed > 0
      ? `, in place of ${counted(removed, 'earlier entry', 'earlier entries')}`
      : '';
  const odd = leftOut.count > 0 ? `, ${counted(leftOut.count, 'odd entry', 'odd entries')} left out` : '';
  return `${prefix}: ${countedFiles(packages, metadata)}, revision ${revision}${change}${odd}\n`;
};

/** What an operator should know of an import, in addition to its result. */
export function* warningsOf(
  { missing, leftOut, bypassed, unreachable, signature, dateBefore }: RefreshResult,
  base: string,
): Generator<string> {
  for (const path of missing) yield `${base + path} is listed but missing`;
  if (dateBefore !== undefined && signature?.date !== undefined)
    yield `the metadata is of ${toDate(signature.date)}, older than that of the revision before (${toDate(dateBefore)})`;
  for (const name of leftOut.named) yield `left out: ${name}`;
  if (leftOut.count > leftOut.named.length) yield `left out: ${leftOut.count - leftOut.named.length} more`;
  if (unreachable !== undefined) yield `a package cannot be fetched: ${unreachable}`;
  const [first] = bypassed.named;
  if (first) yield `clients fetch ${bypassed.count} files past the streamer, for example ${first}`;
}

const toEvery = (text: string): number => {
  const every = age.read(text);
  if (every === undefined || every < MIN_EVERY) throw new InvalidArgumentError(`expected ${EVERY}.`);
  return every / 1000;
};
const MIN_EVERY = 60_000;
const EVERY = 'a duration of at least 60 s: 90m, 6h, 1d';

/** A message that begins with a file of the repository, such as `repodata/repomd.xml: …`. */
const OF_FILE = /^(?!\/|\w+:\/\/)\S*[/.]\S*: /;

/** An error of an import, which names its repository, and what was expected there. */
const ofRepository = (error: unknown, base: string, format: FormatName, lists: readonly string[] = []): unknown => {
  const message = messageOf(error);
  if (error instanceof StreamError && error.code === 'SOURCE_MISSING') {
    const list = lists.find((name) => message.startsWith(`${base}${name} `));
    const expected = list === undefined ? `the URL or folder of a repository of type ${format}` : 'the list of --list';
    return new Error(`${message}; expected ${expected}`, { cause: error });
  }
  return OF_FILE.test(message) ? new Error(`${base}: ${message}`, { cause: error }) : error;
};

const run = async (
  context: CatalogContext,
  catalog: CatalogStore,
  format: FormatName,
  source: string,
  options: Options,
  command: Command,
) => {
  const { stdout, stderr } = context;
  refuseForeign(format, options);
  const keyring = keyringFileOf(format, options);
  const config = await configFor(catalog, options);
  await using closing = new AsyncDisposableStack();
  const open = async (config: ImporterConfig, base?: string) =>
    closing.adopt(await context.openFeed(config, command, base), ({ close }) => close());
  const readList = async () => readMirrorList((await open(config)).read, source);
  const { base, suites, mirrors, metalink } = await resolveSource(format, source, options.suite, readList);
  const { importer, undo } = await chooseImporter(catalog, config, options.importer, mirrors);
  const progress = importProgress(stderr);
  try {
    const feed = await open(importer.config, base);
    const result = await refreshRepository({
      catalog,
      format: apart(format),
      formatName: format,
      every: options.every,
      selection: { suites, components: options.component, architectures: options.arch, lists: options.list },
      base,
      prefix: options.prefix,
      read: feed.read,
      kept: feed.kept,
      grace: feed.grace,
      keepRevisions: feed.keepRevisions,
      limits: feed.limits,
      probe: feed.probe,
      importer: importer.id,
      strict: options.strict ?? false,
      keyring,
      metalink,
      onProgress: progress.show,
    });
    progress.clear();
    for (const warning of warningsOf(result, base)) stderr.write(`warning: ${oneLine(warning)}\n`);
    await warnOfOthers(context, catalog, options.prefix, importer.id);
    stdout.write(
      options.json
        ? `${asJson({ prefix: options.prefix, importer: importer.id, ...result })}\n`
        : describeImport(result, options.prefix),
    );
  } catch (error) {
    progress.clear();
    // Another process may have begun to use the importer. What failed first is what an operator must know.
    await undo().catch(() => {});
    throw ofRepository(error, base, format, options.list);
  }
};

/** `catalog import`: makes entries of a repository's packages and metadata. */
export const addImportCommand = (catalogCommand: Command, context: CatalogContext): void => {
  const command = catalogCommand
    .command('import')
    .description('add an entry for each package and metadata file of a repository, replacing those of its last import')
    .addArgument(new Argument('<format>', 'type of the repository').choices(FORMATS))
    .argument(
      '<source>',
      'URL (http, https, file) or folder of the repository, or URL of a metalink or list of mirrors',
    )
    .requiredOption('--prefix <path>', 'prefix of its paths: PREFIX/relative/path', toPath)
    .option('--importer <id>', 'use the credentials of an importer instead of options')
    .option('--suite <name...>', 'deb: names below dists/, or for a flat repository a folder that ends with /')
    .option('--component <name...>', 'deb: only these components')
    .option(
      '--arch <name...>',
      'deb: only packages for these architectures, and architecture-independent ones; source packages are those of `source`',
    )
    .option('--list <file...>', 'checksum lists in the repository, such as SHA256SUMS, whose files are entries too')
    .option('--strict', 'fail if the metadata has an odd entry, instead of leaving it out')
    .option(
      '--keyring <file>',
      'yum, deb: fail unless the metadata is signed by a key of this file: OpenPGP keys, binary or ASCII-armoured',
    )
    .option(
      '--every <duration>',
      'have a running daemon import it again before the last import is older than this, such as 6h',
      toEvery,
    )
    .option('--json', 'print the result as JSON');
  addImporterOptions(context.prepare(command)).action((format: FormatName, source: string, options: Options) =>
    withCatalog(context, command, (catalog) => run(context, catalog, format, source, options, command)),
  );
};
