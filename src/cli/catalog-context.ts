import { createReadStream, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Vacuumed } from '../app/vacuum.ts';
import type { Answer } from '../catalog/answer.ts';
import type { ImporterConfig } from '../catalog/importer-config.ts';
import type { Listing } from '../catalog/listing.ts';
import type { MetadataFiles } from '../catalog/metadata-files.ts';
import type { CatalogStore } from '../catalog/store.ts';
import { credentialFile } from '../lib/credential.ts';
import { codeOf, messageOf } from '../lib/thrown.ts';
import type { ReadFile } from '../repositories/format.ts';
import type { Limits } from '../repositories/reader/guard.ts';
import { asJson } from './one-line.ts';

/** Takes output: a stream of the process, or a collector in tests. */
export type Output = NodeJS.WritableStream & { readonly isTTY?: boolean };

/** The files of repositories, with the credentials of one importer. */
export interface RepositoryFeed {
  readonly read: ReadFile;
  /** Resolves to the reason why a file cannot be fetched, if so. */
  readonly probe: (url: string, size?: number) => Promise<string | undefined>;
  /** Where the metadata of repositories is kept that are read again and again. */
  readonly kept: MetadataFiles;
  /** Seconds for which files stay that a new revision does not have. */
  readonly grace: number;
  /** Seconds for which revisions are kept that are superseded. */
  readonly keepRevisions: number;
  /** What the process that reads a repository may take. */
  readonly limits: Limits;
  close(): Promise<void>;
}

/** Dependencies of the commands for catalog and importers. */
export interface CatalogContext {
  /** Adds to each command the options that `openCatalog` reads. */
  prepare(command: Command): Command;
  /** Opens the catalog of our own, to change it. */
  openCatalog(command: Command): Answer<CatalogStore>;
  /** Opens the catalog that requests are looked up in, to show it. */
  openListing(command: Command): Promise<Listing>;
  /** Gives the space of removed entries back to the disk. */
  vacuum(command: Command): Vacuumed;
  /** Opens the feed of an importer, as the command's settings say: for a base on disk, files in it. */
  openFeed(config: ImporterConfig, command: Command, base?: string): Promise<RepositoryFeed>;
  readonly stdout: Output;
  readonly stderr: Output;
}

/** Runs `work` with the catalog open, and closes it whatever happens. */
export const withCatalog = async <T>(
  context: CatalogContext,
  command: Command,
  work: (catalog: CatalogStore) => T | Promise<T>,
): Promise<T> => {
  const catalog = await context.openCatalog(command);
  try {
    return await work(catalog);
  } finally {
    await catalog.close();
  }
};

/** The same with the catalog that requests are looked up in. */
export const withListing = async <T>(
  context: CatalogContext,
  command: Command,
  work: (listing: Listing) => T | Promise<T>,
): Promise<T> => {
  const listing = await context.openListing(command);
  try {
    return await work(listing);
  } finally {
    await listing.close();
  }
};

const BATCH = 64 * 1024;

/**
 * Writes texts in batches, with back-pressure. A reader that closes its end early (`| head`) is not
 * an error.
 */
export const writeAll = async (output: Output, texts: Iterable<string> | AsyncIterable<string>): Promise<void> => {
  // The callback below reports the same error; without a listener the event would end the process.
  output.on('error', () => {});
  const write = (text: string): Promise<void> =>
    new Promise((resolve, reject) => output.write(text, (error) => (error ? reject(error) : resolve())));
  try {
    let batch = '';
    for await (const text of texts) {
      batch += text;
      if (batch.length < BATCH) continue;
      await write(batch);
      batch = '';
    }
    await write(batch);
  } catch (error) {
    if (codeOf(error) !== 'EPIPE') throw error;
  }
};

/** Converts values one at a time, as they are taken. */
export async function* map<T, R>(values: Iterable<T> | AsyncIterable<T>, convert: (value: T) => R): AsyncGenerator<R> {
  for await (const value of values) yield convert(value);
}

/** The values of one after those of the other. */
export async function* concat<T>(first: AsyncIterable<T>, second: AsyncIterable<T>): AsyncGenerator<T> {
  yield* first;
  yield* second;
}

/** Values as a JSON array, one a line, without holding all in memory. */
export async function* toJsonArray(values: Iterable<unknown> | AsyncIterable<unknown>): AsyncGenerator<string> {
  let separator = '[\n';
  for await (const value of values) {
    yield `${separator}${asJson(value)}`;
    separator = ',\n';
  }
  yield separator === '[\n' ? '[]\n' : '\n]\n';
}

const STANDARD_INPUT = 0;

const REASONS: Readonly<Record<string, string>> = { ENOENT: 'no such file', EISDIR: 'is a folder, expected a file' };

const reason = (error: unknown): string => REASONS[codeOf(error)] ?? messageOf(error);

/**
 * The text of a file named on the command line; `-` is standard input, and `credential:NAME` one of
 * systemd's credentials. Throws naming the option that named it.
 */
export const readTextFile = (option: string, file: string): string => {
  try {
    return readFileSync(file === '-' ? STANDARD_INPUT : credentialFile(file, process.env), 'utf8');
  } catch (error) {
    throw new Error(`${option} ${file}: ${reason(error)}`, { cause: error });
  }
};

/** The bytes of a file named on the command line; `-` is standard input. */
export async function* readInput(file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* file === '-' ? process.stdin : createReadStream(file);
  } catch (error) {
    throw new Error(`${file}: ${reason(error)}`, { cause: error });
  }
}
