import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { ExportResult } from '../app/bundle/export.ts';
import type { Imported } from '../app/bundle/import.ts';
import { openOwnCatalog } from '../app/own-catalog.ts';
import { checkState } from '../app/state-folder.ts';
import { noBundles } from '../app/warm/check.ts';
import type { Settings } from '../config/schema.ts';
import { replaceFile } from '../lib/private-files.ts';
import { counted } from './counted.ts';
import { asJson, oneLine } from './one-line.ts';
import { progressBar, sayBytes } from './progress.ts';
import { stateOf, withSettings } from './settings.ts';

const NAMES = ['stateDir', 'catalog', 'catalogType', 'saveDir', 'saveLimit', 'dispatch', 'keepRevisions'] as const;

interface ExportOptions {
  readonly since?: string;
  readonly replace?: boolean;
  readonly json?: boolean;
}

export const addExportBundle = (command: Command): void => {
  withSettings(
    command
      .option(
        '--since <file>',
        'leave out what the other machine has already: an earlier bundle that it imports first, or the manifest written beside it',
      )
      .option('--replace', 'replace the file if it is there')
      .option('--json', 'print JSON'),
    NAMES,
  ).action(async (file: string, prefixes: string[], { since, replace, json }: ExportOptions, command: Command) => {
    const settings = usable(command, 'there are no copies to export');
    const [{ exportBundle }, { readKnown }] = await Promise.all([
      import('../app/bundle/export.ts'),
      import('../app/bundle/known.ts'),
    ]);
    const known = since === undefined ? undefined : await readKnown(resolve(since));
    const own = await openOwnCatalog(settings);
    const bar = progressBar(process.stderr);
    try {
      const target = resolve(file);
      const result = await exportBundle(
        { settings, own, onProgress: (bytes) => bar.update(bytes, undefined) },
        target,
        { prefixes, ...(known && { known }), ...(replace && { replace }) },
      );
      await replaceFile(`${target}.manifest`, `${JSON.stringify(result.manifest)}\n`);
      bar.stop();
      tellExport(file, result, json);
    } finally {
      bar.stop();
      await own.close();
    }
  });
};

const contentOf = ({ packages, metadata }: { readonly packages: number; readonly metadata: number }): string =>
  `${counted(packages, 'package')}, ${counted(metadata, 'file')} of metadata`;

const tellExport = (file: string, { manifest: _, ...result }: ExportResult, json = false): void => {
  const { repositories, files, bytes, known } = result;
  if (json) process.stdout.write(`${asJson(result)}\n`);
  else {
    for (const { prefix, packages, metadata, without } of repositories)
      process.stdout.write(
        `${oneLine(prefix)}: ${contentOf({ packages, metadata })}; ${counted(without, 'package has', 'packages have')} no copy here and ${without === 1 ? 'is' : 'are'} left out\n`,
      );
    const before = known > 0 ? `, and ${known} that the other machine has already` : '';
    process.stdout.write(`written to ${oneLine(file)}: ${files} files (${sayBytes(bytes)})${before}\n`);
  }
  for (const { prefix, missing } of repositories)
    if (missing.length > 0)
      process.stderr.write(
        `note: ${oneLine(`${prefix}: some of its metadata is not kept here and is left out: ${missing.join(', ')}`)}\n`,
      );
};

interface ImportOptions {
  readonly check?: boolean;
  readonly json?: boolean;
}

export const addImportBundle = (command: Command): void => {
  withSettings(
    command
      .option('--check', 'only read all of the file and compare it with its checksums')
      .option('--json', 'print JSON'),
    NAMES,
  ).action(async (file: string, { check, json }: ImportOptions, command: Command) => {
    const { importBundle, verifyBundle } = await import('../app/bundle/import.ts');
    const bar = progressBar(process.stderr);
    const onProgress = (bytes: number) => bar.update(bytes, undefined);
    try {
      if (check) {
        const { made, files, repositories } = await verifyBundle(resolve(file), onProgress);
        bar.stop();
        const prefixes = repositories.map(({ prefix }) => prefix || '/');
        const text = `whole: ${oneLine(`${file}: ${files.size} files for ${prefixes.join(', ')}, of ${made}`)}`;
        process.stdout.write(`${json ? asJson({ made, files: files.size, prefixes }) : text}\n`);
        return;
      }
      const settings = usable(command, 'nothing can be imported');
      checkState(settings);
      const own = await openOwnCatalog(settings);
      try {
        const imported = await importBundle({ settings, own, onProgress }, resolve(file));
        bar.stop();
        tellImport(file, imported, json);
      } finally {
        await own.close();
      }
    } finally {
      bar.stop();
    }
  });
};

const tellImport = (file: string, imported: Imported, json = false): void => {
  const { made, repositories, files, bytes, present } = imported;
  for (const { prefix, others } of repositories)
    for (const id of others)
      process.stderr.write(`${oneLine(`warning: below ${prefix} are also entries of importer ${id}`)}\n`);
  if (json) process.stdout.write(`${asJson(imported)}\n`);
  else {
    for (const { prefix, packages, metadata } of repositories)
      process.stdout.write(`${oneLine(prefix)}: ${contentOf({ packages, metadata })}\n`);
    process.stdout.write(
      `imported ${oneLine(`${file} of ${made}`)}: ${files} files written (${sayBytes(bytes)}), ${present} were there\n`,
    );
  }
};

/** The settings, if copies are kept. */
const usable = (command: Command, consequence: string): Settings => {
  const settings = stateOf(command);
  const reason = noBundles(settings);
  if (reason !== undefined) throw new Error(`${consequence}: ${reason}`);
  return settings;
};
