import { Argument, type Command } from 'commander';
import { type ImportResult, importRepository, toBase } from '../catalog/import.ts';
import type { ImporterConfig } from '../catalog/importer-config.ts';
import type { Tables } from '../catalog/sqlite/tables.ts';
import { apart } from '../repositories/reader/apart.ts';
import { type CatalogContext, withCatalog } from './catalog-context.ts';
import { importProgress } from './import-progress.ts';
import { addImporterOptions, type ImporterOptions, toImporterConfig, toPath } from './importer-options.ts';
import { oneLine } from './one-line.ts';

const FORMATS = ['yum', 'deb', 'files'] as const;
type FormatName = (typeof FORMATS)[number];

interface Options extends ImporterOptions {
  readonly prefix: string;
  readonly importer?: string;
  readonly suite?: string[];
  readonly component?: string[];
  readonly arch?: string[];
  readonly list?: string[];
  readonly strict?: boolean;
  readonly json?: boolean;
}

/** The importer that the entries will refer to, and whether it is new. */
const chooseImporter = (catalog: Tables, options: Options): { id: string; config: ImporterConfig; made: boolean } => {
  const config = toImporterConfig(options);
  if (options.importer === undefined) {
    const known = catalog.importers.find(config);
    return { ...(known ?? catalog.importers.add({ config })), made: !known };
  }
  if (Object.keys(config).length > 0)
    throw new Error('--importer has its own credentials: give either --importer or credentials');
  const importer = catalog.importers.get(options.importer);
  if (!importer) throw new Error(`importer ${options.importer} is not in the catalog`);
  return { ...importer, made: false };
};

const describe = ({ packages, metadata, removed, revision, leftOut }: ImportResult, prefix: string): string =>
  `${prefix}: ${packages} packages and ${metadata} metadata files, revision ${revision}` +
  `${removed > 0 ? `, in place of ${removed} earlier entries` : ''}` +
  `${leftOut.count > 0 ? `, ${leftOut.count} odd entries left out` : ''}\n`;

function* warningsOf({ missing, leftOut, bypassed }: ImportResult, base: string): Generator<string> {
  for (const path of missing) yield `${base + path} is listed but missing`;
  for (const name of leftOut.named) yield `left out: ${name}`;
  if (leftOut.count > leftOut.named.length) yield `left out: ${leftOut.count - leftOut.named.length} more`;
  const [first] = bypassed.named;
  if (first) yield `clients fetch ${bypassed.count} files past the streamer, for example ${first}`;
}

const run = async (
  context: CatalogContext,
  catalog: Tables,
  format: FormatName,
  source: string,
  options: Options,
  command: Command,
) => {
  const { stdout, stderr } = context;
  const base = toBase(source);
  const importer = chooseImporter(catalog, options);
  const progress = importProgress(stderr);
  const feed = await context.openFeed(importer.config, command);
  try {
    const result = await importRepository({
      catalog,
      format: apart(format),
      selection: {
        suites: options.suite,
        components: options.component,
        architectures: options.arch,
        lists: options.list,
      },
      base,
      prefix: options.prefix,
      read: feed.read,
      importer: importer.id,
      strict: options.strict ?? false,
      onProgress: progress.show,
    });
    progress.clear();
    for (const warning of warningsOf(result, base)) stderr.write(`warning: ${oneLine(warning)}\n`);
    const others = catalog.entries.importersBelow(options.prefix).filter((id) => id !== importer.id);
    for (const id of others) stderr.write(`warning: below ${options.prefix} are also entries of importer ${id}\n`);
    stdout.write(
      options.json
        ? `${JSON.stringify({ prefix: options.prefix, importer: importer.id, ...result })}\n`
        : describe(result, options.prefix),
    );
  } catch (error) {
    progress.clear();
    if (importer.made) catalog.importers.remove(importer.id);
    throw error;
  } finally {
    await feed.close();
  }
};

/** `catalog import`: makes entries of a repository's packages and metadata. */
export const addImportCommand = (catalogCommand: Command, context: CatalogContext): void => {
  const command = catalogCommand
    .command('import')
    .description('add an entry for each package and metadata file of a repository, replacing those of its last import')
    .addArgument(new Argument('<format>', 'type of the repository').choices(FORMATS))
    .argument('<source>', 'URL (http, https, file) or folder of the repository')
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
    .option('--json', 'print the result as JSON');
  addImporterOptions(context.prepare(command)).action((format: FormatName, source: string, options: Options) =>
    withCatalog(context, command, (catalog) => run(context, catalog, format, source, options, command)),
  );
};
