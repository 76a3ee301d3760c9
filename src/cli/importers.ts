import { X509Certificate } from 'node:crypto';
import type { Command } from 'commander';
import { toBase } from '../catalog/import.ts';
import { type ImporterConfig, maskSecrets } from '../catalog/importer-config.ts';
import type { Importer } from '../catalog/sqlite/importers.ts';
import { type CatalogContext, toJsonArray, withCatalog, writeAll } from './catalog-context.ts';
import { addImporterOptions, type ImporterOptions, toImporterConfig } from './importer-options.ts';

interface AddOptions extends ImporterOptions {
  readonly feed?: string;
  readonly repo?: string;
  readonly json?: boolean;
}

const toPlain = ({ id, repoId, typeId, config }: Importer): Record<string, unknown> => ({
  id,
  repo_id: repoId,
  importer_type_id: typeId,
  config: maskSecrets(config),
});

/** A certificate in words; several in one file count by the first. */
const describeCertificate = (pem: string): string => {
  const { subject, validTo } = new X509Certificate(pem);
  return `${subject.replaceAll('\n', ', ')}, valid until ${validTo}`;
};

const CERTIFICATES: readonly string[] = ['ssl_ca_cert', 'ssl_client_cert'] satisfies (keyof ImporterConfig)[];

const describe = (importer: Importer): string[] => [
  `id: ${importer.id}\n`,
  ...(importer.repoId === undefined ? [] : [`repo_id: ${importer.repoId}\n`]),
  ...Object.entries(maskSecrets(importer.config)).map(
    ([key, value]) => `${key}: ${CERTIFICATES.includes(key) ? describeCertificate(String(value)) : value}\n`,
  ),
];

const summary = ({ id, repoId, config }: Importer): string =>
  [
    id,
    repoId ?? '-',
    config.feed ?? '-',
    Object.keys(config)
      .filter((key) => key !== 'feed')
      .join(',') || '-',
  ].join('\t');

/** `importers add|list|show|remove`: the credentials of catalog entries. */
export const addImporterCommands = (program: Command, context: CatalogContext): void => {
  const { stdout } = context;
  const importers = program
    .command('importers')
    .description('credentials and feed settings that catalog entries refer to');
  const leaf = (name: string, description: string): Command =>
    context.prepare(importers.command(name).description(description));

  addImporterOptions(leaf('add', 'add an importer and print its id'))
    .option('--feed <url>', 'URL that the feed starts at')
    .option('--repo <id>', 'name of the importer, such as its repository')
    .option('--json', 'print JSON')
    .action((options: AddOptions, command: Command) =>
      withCatalog(context, command, (catalog) => {
        const feed = options.feed === undefined ? {} : { feed: toBase(options.feed) };
        const config = toImporterConfig({ ...options, ...feed });
        const importer = catalog.importers.add({ config, ...(options.repo !== undefined && { repoId: options.repo }) });
        stdout.write(options.json ? `${JSON.stringify(toPlain(importer))}\n` : `${importer.id}\n`);
      }),
    );

  leaf('list', 'list the importers: id, name, feed, which settings they have')
    .option('--json', 'print JSON')
    .action(({ json }: { json?: boolean }, command: Command) =>
      withCatalog(context, command, (catalog) => {
        const all = catalog.importers.list();
        return writeAll(stdout, json ? toJsonArray(all.map(toPlain)) : all.map((one) => `${summary(one)}\n`));
      }),
    );

  leaf('show <id>', 'show an importer; private keys and passwords stay hidden')
    .option('--json', 'print JSON')
    .action((id: string, { json }: { json?: boolean }, command: Command) =>
      withCatalog(context, command, (catalog) => {
        const importer = catalog.importers.get(id);
        if (!importer) throw new Error(`importer ${id} is not in the catalog`);
        return writeAll(stdout, json ? [`${JSON.stringify(toPlain(importer))}\n`] : describe(importer));
      }),
    );

  leaf('remove <id>', 'remove an importer that no entry refers to').action(
    (id: string, _options: unknown, command: Command) =>
      withCatalog(context, command, (catalog) => {
        if (!catalog.importers.remove(id)) throw new Error(`importer ${id} is not in the catalog`);
        stdout.write(`removed importer ${id}\n`);
      }),
  );
};
