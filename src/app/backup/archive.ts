import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { createTarDecoder, createTarPacker } from 'modern-tar';
import { z } from 'zod';
import { codeOf, messageOf } from '../../lib/thrown.ts';
import { unlessMissing } from '../../lib/unless-missing.ts';
import { version } from '../version.ts';
import { parsed } from './parsed.ts';

/** One file of an archive. */
export interface Archived {
  readonly name: string;
  readonly size: number;
  readonly sha256: string;
}

const MANIFEST = 'manifest.json';
const FORMAT = 1;
/** Characters of the longest manifest that is read. */
const LONGEST = 64 * 1024 * 1024;
/** Files of one archive: their list stays below `LONGEST`. */
export const MOST_FILES = 300_000;

/** What an archive is for, and the command that reads it. */
const KINDS = { backup: 'restore', bundle: 'import-bundle' } as const;
export type Kind = keyof typeof KINDS;

const ManifestShape = z.object({
  format: z.number(),
  version: z.string(),
  made: z.string(),
  /** Default: a backup. */
  kind: z.enum(['backup', 'bundle']).optional(),
  /** What an earlier bundle has brought, by name, with its bytes. */
  carried: z.record(z.string(), z.number()).optional(),
  files: z.array(z.object({ name: z.string(), size: z.number(), sha256: z.string() })),
});

/** What an archive holds. */
export type Manifest = z.infer<typeof ManifestShape>;

/** An archive in the making: files are added one after the other. */
export interface NewArchive extends AsyncDisposable {
  /** Reads a file to its end. `size` bytes must come. */
  add(
    name: string,
    found: { readonly size: number; readonly mtime: Date },
    bytes: AsyncIterable<Uint8Array>,
  ): Promise<void>;
  /** Gives the archive its name, once it is on the disk. */
  finish(more?: Pick<Manifest, 'carried'>): Promise<Manifest>;
}

/**
 * Begins an archive: a tar file for its owner alone, whose last entry lists the others with their
 * checksums. So one that was cut off is known. It has another name until it is finished, and is
 * removed unless that happens.
 */
export const createArchive = async (file: string, kind: Kind = 'backup'): Promise<NewArchive> => {
  const part = `${file}.part`;
  const notMade = (error: unknown): Error =>
    new Error(`${file} cannot be made: ${NOT_MADE[codeOf(error)] ?? messageOf(error)}`, { cause: error });
  const handle = await makeFile(file, part).catch((error: unknown) => {
    throw notMade(error);
  });
  const { readable, controller } = createTarPacker();
  const written = pumped(readable, handle);
  // Awaited in `finish`; until then a failure is that of `add`, which knows only that nobody takes its bytes.
  written.catch(controller.error);
  const reasonFor = async (error: unknown): Promise<unknown> => {
    controller.error(error);
    return written.then(
      () => error,
      (reason) => (reason === error ? error : notMade(reason)),
    );
  };
  const files: Archived[] = [];
  /** Not if another command has begun the same one: its file has the name now. */
  const isOurs = async () => (await unlessMissing(stat(part)))?.ino === (await handle.stat()).ino;

  const add: NewArchive['add'] = async (name, { size, mtime }, bytes) => {
    if (files.length === MOST_FILES && name !== MANIFEST)
      throw new Error(`${file}: more than ${MOST_FILES} files; divide it, one prefix or some at a time`);
    const hash = createHash('sha256');
    const entry = controller.add({ name, size, mtime, mode: 0o600 }).getWriter();
    try {
      for await (const chunk of bytes) {
        hash.update(chunk);
        await entry.write(chunk);
      }
      await entry.close();
    } catch (error) {
      throw await reasonFor(error);
    }
    files.push({ name, size, sha256: hash.digest('hex') });
  };

  return {
    add,
    finish: async (more) => {
      const made = new Date();
      const about = { format: FORMAT, version, made: made.toISOString(), ...(kind !== 'backup' && { kind }) };
      const manifest: Manifest = { ...about, ...more, files: [...files] };
      const text = Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`);
      await add(MANIFEST, { size: text.length, mtime: made }, Readable.from([text]));
      controller.finalize();
      await written.catch((error: unknown) => {
        throw notMade(error);
      });
      await handle.sync();
      if (!(await isOurs())) throw new Error(`${file}: another command makes it at the same time`);
      await rename(part, file);
      return manifest;
    },
    [Symbol.asyncDispose]: async () => {
      controller.error(new Error(`the ${kind} was given up`));
      await written.catch(() => {});
      const isLeft = await isOurs();
      await handle.close();
      if (isLeft) await rm(part, { force: true });
    },
  };
};

const makeFile = async (file: string, part: string): Promise<FileHandle> => {
  const there = await unlessMissing(stat(file));
  if (there && !there.isFile()) throw new Error('it is not a file; expected the name of one');
  await rm(part, { force: true });
  return open(part, 'wx', 0o600);
};

const NOT_MADE: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist',
  ENOTDIR: 'what it names as its folder is not one',
  EACCES: 'this user may not write there',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
};

const pumped = async (readable: ReadableStream<Uint8Array>, handle: FileHandle): Promise<void> => {
  for await (const chunk of readable) await handle.writeFile(chunk);
};

/** Takes one file of an archive, all of its bytes. Rejects if the archive may not have such a file. */
export type Take = (name: string, mtime: Date | undefined, bytes: AsyncIterable<Uint8Array>) => Promise<void>;

/**
 * Reads an archive to its end, gives each file to `take`, and compares all with its list. Rejects if
 * the file is none of its kind, is not whole, or is damaged; `take` may then have had some of it.
 */
export const readArchive = async (file: string, take: Take, kind: Kind = 'backup'): Promise<Manifest> => {
  const found = new Map<string, string>();
  let manifest: Manifest | undefined;
  try {
    const entries = ReadableStream.from<Uint8Array>(createReadStream(file)).pipeThrough(
      createTarDecoder({ strict: true }),
    );
    for await (const { header, body } of entries as ReadableStream<EntryOf<typeof entries>>) {
      const { name, mtime } = header;
      if (name === MANIFEST && !manifest) manifest = manifestIn(await textOf(body));
      else if (manifest || found.has(name) || header.type !== 'file') throw new Error(`it may not have ${name} there`);
      else if (found.size === MOST_FILES) throw new Error(`it has more than ${MOST_FILES} files`);
      else found.set(name, await digested(body, (bytes) => take(name, pastOr(mtime), bytes)));
    }
  } catch (error) {
    throw new Error(`${file}: ${reasonOf(error, file, kind)}`, { cause: error });
  }
  if (!manifest) throw new Error(`${file}: expected a ${kind} of pulp-streamer; it has no ${MANIFEST} at its end`);
  const { kind: isKind = 'backup' } = manifest;
  if (isKind !== kind) throw new Error(`${file}: expected a ${kind}, found a ${isKind}; use ${KINDS[isKind]}`);
  const { files } = manifest;
  const wrong = files.find(({ name, sha256 }) => found.get(name) !== sha256);
  if (wrong || files.length !== found.size)
    throw new Error(`${file}: damaged: ${wrong ? wrong.name : 'a file'} is not what ${MANIFEST} lists`);
  return manifest;
};

/** A time that a file can have: an archive may state any, or what is none. */
const pastOr = (mtime: Date | undefined): Date | undefined =>
  mtime && mtime.getTime() <= Date.now() ? mtime : undefined;

type EntryOf<S> = S extends ReadableStream<infer Entry> ? Entry : never;

const NOT_READ: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'a part of its path is not a folder',
  EISDIR: 'found a folder, expected a file',
  EACCES: 'this user may not read it',
};

/** Why the file cannot be read, or what `take` threw. */
const reasonOf = (error: unknown, file: string, kind: Kind): string => {
  const { path, syscall } = error as NodeJS.ErrnoException;
  const known = path === file || syscall === 'read' ? NOT_READ[codeOf(error)] : undefined;
  if (known !== undefined) return known;
  const message = messageOf(error);
  return /tar|header|EOF/i.test(message) ? `expected a whole ${kind} of pulp-streamer (${message})` : message;
};

const textOf = async (bytes: AsyncIterable<Uint8Array>): Promise<string> => {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    length += chunk.length;
    if (length > LONGEST) throw new Error(`its ${MANIFEST} is longer than ${LONGEST} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
};

export const manifestIn = (text: string): Manifest => {
  const manifest = parsed(MANIFEST, ManifestShape, text);
  if (manifest.format > FORMAT)
    throw new Error(`pulp-streamer ${manifest.version} made it, in format ${manifest.format}; install that version`);
  return manifest;
};

const digested = async (
  bytes: AsyncIterable<Uint8Array>,
  take: (bytes: AsyncIterable<Uint8Array>) => Promise<void>,
): Promise<string> => {
  const hash = createHash('sha256');
  await take(
    (async function* () {
      for await (const chunk of bytes) {
        hash.update(chunk);
        yield chunk;
      }
    })(),
  );
  return hash.digest('hex');
};
