import { X509Certificate } from 'node:crypto';
import type { Command } from 'commander';
import { toBase } from '../catalog/import.ts';
import { type ImporterConfig, maskSecrets } from '../catalog/importer-config.ts';
import type { ListedImporter } from '../catalog/listing.ts';
import { type CatalogContext, map, toJsonArray, withCatalog, withListing, writeAll } from './catalog-context.ts';
import { addImporterOptions, type ImporterOptions, toImporterConfig } from './importer-options.ts';
import { asJson, oneLine, row } from './one-line.ts';

interface AddOptions extends ImporterOptions {
  readonly feed?: string;
  readonly repo?: string;
  readonly json?: boolean;
}

const toPlain = ({ id, repoId, typeId, config, entries, problem }: ListedImporter): Record<string, unknown> => ({
  id,
  repo_id: repoId,
  importer_type_id: typeId,
  config: maskSecrets(config),
  entries,
  problem,
});

/** A certificate in words; several in one file count by the first. */
const describeCertificate = (pem: string): string => {
  try {
    const { subject, validTo } = new X509Certificate(pem);
    return `${subject.replaceAll('\n', ', ')}, valid until ${validTo}`;
  } catch {
    return 'not a certificate (PEM)';
  }
};

const CERTIFICATES: readonly string[] = ['ssl_ca_cert', 'ssl_client_cert'] satisfies (keyof ImporterConfig)[];

const textOf = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));

const describe = ({ id, repoId, config, entries, problem }: ListedImporter): string[] => {
  const fields = {
    id,
    repo_id: repoId,
    ...maskSecrets(config),
    entries,
    unusable: problem,
  };
  return Object.entries(fields).flatMap(([key, value]) =>
    value === undefined
      ? []
      : [`${key}: ${oneLine(CERTIFICATES.includes(key) ? describeCertificate(String(value)) : textOf(value))}\n`],
  );
};

const summary = ({ id, repoId = '-', config, entries, problem }: ListedImporter): string => {
  const { feed = '-', ...others } = maskSecrets(config);
  const settings = problem === undefined ? Object.keys(others).join(',') || '-' : `unusable: ${problem}`;
  return row([id, repoId, String(feed), settings, entries]);
};

/**
 * `importers add|remove`: the credentials of the embedded catalog's entries. `importers list|show`:
 * those of the catalog that requests are looked up in.
 */
export const addImporterCommands = (importers: Command, context: CatalogContext): void => {
  const { stdout } = context;
  const leaf = (name: string, description: string): Command =>
    context.prepare(importers.command(name).description(description));

  addImporterOptions(leaf('add', 'add an importer and print its id'))
    .option('--feed <url>', 'URL that the feed starts at')
    .option('--repo <id>', 'name of the importer, such as its repository')
    .option('--json', 'print JSON')
    .action((options: AddOptions, command: Command) =>
      withCatalog(context, command, async (catalog) => {
        const feed = options.feed === undefined ? {} : { feed: toBase(options.feed) };
        const config = toImporterConfig({ ...options, ...feed });
        const importer = await catalog.importers.add({
          config,
          ...(options.repo !== undefined && { repoId: options.repo }),
        });
        stdout.write(options.json ? `${asJson(toPlain({ ...importer, entries: 0 }))}\n` : `${importer.id}\n`);
      }),
    );

  leaf('list', 'list the importers: id, name, feed, which settings they have, number of entries')
    .option('--json', 'print JSON')
    .action(({ json }: { json?: boolean }, command: Command) =>
      withListing(context, command, (listing) => {
        const all = listing.importers();
        return writeAll(stdout, json ? toJsonArray(map(all, toPlain)) : map(all, summary));
      }),
    );

  leaf('show <id>', 'show an importer; private keys and passwords stay hidden')
    .option('--json', 'print JSON')
    .action((id: string, { json }: { json?: boolean }, command: Command) =>
      withListing(context, command, async (listing) => {
        const importer = await listing.importer(id);
        if (!importer) throw new Error(`importer ${id} is not in the catalog`);
        return writeAll(stdout, json ? [`${asJson(toPlain(importer))}\n`] : describe(importer));
      }),
    );

  leaf('remove <id>', 'remove an importer that no entry refers to').action(
    (id: string, _options: unknown, command: Command) =>
      withCatalog(context, command, async (catalog) => {
        if (!(await catalog.importers.remove(id))) throw new Error(`importer ${id} is not in the catalog`);
        stdout.write(`removed importer ${id}\n`);
      }),
  );
};
